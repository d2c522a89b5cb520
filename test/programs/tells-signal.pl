# Says that it is up, then which signal it got, and ends well. argv: the signal, as SIGTERM.
$| = 1;
my $name = substr($ARGV[0], 3);
$SIG{$name} = sub { print "got SIG$name\n"; exit 0 };
print "up\n";
sleep 1000 while 1;

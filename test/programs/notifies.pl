# Speaks sd_notify(3) to its supervisor: each argument is a datagram, a number a pause in ms; `on TERM` waits for that
# signal, `exit` ends it. Else it stays.
use strict;
use warnings;
use Socket;

$| = 1;
my $asked = 0;
$SIG{TERM} = sub { $asked = 1 } if grep { $_ eq 'on TERM' } @ARGV;
socket(my $socket, PF_UNIX, SOCK_DGRAM, 0) or die $!;
for my $word (@ARGV) {
  if ($word =~ /^\d+$/) { select(undef, undef, undef, $word / 1000); next }
  if ($word eq 'on TERM') { select(undef, undef, undef, 0.02) until $asked; next }
  exit 0 if $word eq 'exit';
  defined send($socket, $word, 0, sockaddr_un($ENV{NOTIFY_SOCKET})) or die $!;
  print "sent $word\n";
}
sleep 1000;

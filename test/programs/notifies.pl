# Speaks sd_notify(3) to its supervisor: each argument is a datagram, a number a pause in ms; `on TERM` and `on USR1` wait
# for that signal, `exit` ends it. Else it stays.
use strict;
use warnings;
use Socket;

$| = 1;
my %heard;
for my $signal (map { /^on (\w+)$/ } @ARGV) { $SIG{$signal} = sub { $heard{$signal} = 1 } }
socket(my $socket, PF_UNIX, SOCK_DGRAM, 0) or die $!;
for my $word (@ARGV) {
  if ($word =~ /^\d+$/) { select(undef, undef, undef, $word / 1000); next }
  if ($word =~ /^on (\w+)$/) { select(undef, undef, undef, 0.02) until $heard{$1}; next }
  exit 0 if $word eq 'exit';
  defined send($socket, $word, 0, sockaddr_un($ENV{NOTIFY_SOCKET})) or die $!;
  print "sent $word\n";
}
sleep 1000;

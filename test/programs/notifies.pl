# Speaks sd_notify(3) to its supervisor: each argument is a datagram, a number a pause in ms, then it stays.
use strict;
use warnings;
use Socket;

$| = 1;
socket(my $socket, PF_UNIX, SOCK_DGRAM, 0) or die $!;
for my $word (@ARGV) {
  if ($word =~ /^\d+$/) { select(undef, undef, undef, $word / 1000); next }
  defined send($socket, $word, 0, sockaddr_un($ENV{NOTIFY_SOCKET})) or die $!;
  print "sent $word\n";
}
sleep 1000;

/* sleeper STAMPS ALIVE INDEX: says when it began, holds the FIFO open while it lives, sleeps. */
#include "stamp.h"

int main(int argc, char **argv) {
  uint64_t began = now();
  if (argc < 4) return 2;
  open(argv[2], O_WRONLY | O_NONBLOCK);
  stamp(argv[1], (uint32_t)atoi(argv[3]), began);
  for (;;) pause();
}

/*
 * writer STAMPS BYTES CHUNK [RATE]: writes numbered lines of 120 bytes, CHUNK bytes a write (120: one write a line), at
 * most RATE bytes a second, then the line #END; says when it began and when its last write returned; sleeps.
 */
#include "stamp.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { LINE = 120, LARGEST = 64 * 1024 };

static void put(const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t written = write(1, bytes, length);
    if (written <= 0) _exit(112);
    bytes += written;
    length -= (size_t)written;
  }
}

/* Whole milliseconds at a time: a timer for each write would cost more than the write. Who is behind catches up. */
static void wait_for(const struct timespec *began, double seconds) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  double passed = (double)(now.tv_sec - began->tv_sec) + (double)(now.tv_nsec - began->tv_nsec) / 1e9;
  double early = seconds - passed;
  if (early < 1e-3) return;
  struct timespec left = {(time_t)early, (long)((early - (double)(time_t)early) * 1e9)};
  nanosleep(&left, NULL);
}

int main(int argc, char **argv) {
  if (argc < 4) return 2;
  long lines = atol(argv[2]) / LINE;
  long each = atol(argv[3]) / LINE;
  static char buffer[LARGEST];
  if (each * LINE > LARGEST) each = LARGEST / LINE;
  long rate = argc > 4 ? atol(argv[4]) : 0;
  struct timespec began;
  clock_gettime(CLOCK_MONOTONIC, &began);
  stamp(argv[1], 1, now());
  for (long line = 0; line < lines;) {
    long count = each < lines - line ? each : lines - line;
    for (long i = 0; i < count; i += 1, line += 1) {
      char *at = buffer + i * LINE;
      memset(at, 'x', LINE - 1);
      char number[16];
      int length = snprintf(number, sizeof number, "#%010ld ", line);
      memcpy(at, number, (size_t)length);
      at[LINE - 1] = '\n';
    }
    if (rate > 0) wait_for(&began, (double)line * LINE / (double)rate);
    put(buffer, (size_t)(count * LINE));
  }
  stamp(argv[1], 2, now());
  put("#END\n", 5);
  for (;;) pause();
}

/* orphans STAMPS COUNT: leaves COUNT processes without a parent; each lives half a second and dies unwaited. */
#include "stamp.h"
#include <sys/wait.h>

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  int count = atoi(argv[2]);
  pid_t middle = fork();
  if (middle == 0) {
    for (int i = 0; i < count; i += 1) {
      if (fork() != 0) continue;
      usleep(500000);
      _exit(0);
    }
    _exit(0);
  }
  waitpid(middle, NULL, 0);
  stamp(argv[1], 1, now());
  for (;;) pause();
}

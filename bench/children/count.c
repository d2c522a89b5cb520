/* count LINES FILE...: how many of the writer's lines 0..LINES-1 stand whole at the end of a line; prints it. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE = 119 };

int main(int argc, char **argv) {
  long lines = atol(argv[1]);
  uint8_t *seen = calloc((size_t)lines, 1);
  char *line = NULL;
  size_t room = 0;
  long whole = 0;
  for (int i = 2; i < argc; i += 1) {
    FILE *file = fopen(argv[i], "r");
    if (!file) continue;
    for (ssize_t length; (length = getline(&line, &room, file)) > 0;) {
      if (line[length - 1] == '\n') length -= 1;
      if (length < LINE) continue;
      char *at = line + length - LINE;
      if (at[0] != '#' || at[11] != ' ' || at[LINE - 1] != 'x') continue;
      long number = strtol(at + 1, NULL, 10);
      if (number < 0 || number >= lines || seen[number]) continue;
      seen[number] = 1;
      whole += 1;
    }
    fclose(file);
  }
  printf("%ld\n", whole);
  return 0;
}

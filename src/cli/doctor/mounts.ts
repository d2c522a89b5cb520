/** One line of /proc/self/mountinfo, see proc_pid_mountinfo(5). */
export interface Mount {
  readonly point: string;
  readonly type: string;
}

/** Parses /proc/self/mountinfo; lines that are none are left out. */
export function parseMounts(mountinfo: string): readonly Mount[] {
  return mountinfo.split('\n').flatMap((line) => {
    const [front, back] = line.split(' - ');
    const point = front?.split(' ')[4];
    const type = back?.split(' ')[0];
    return point === undefined || type === undefined ? [] : [{ point: decodeOctal(point), type }];
  });
}

/** The mount a path lies on: the deepest, and of those the last, which hides the others. */
export function mountOf(path: string, mounts: readonly Mount[]): Mount | undefined {
  let found: Mount | undefined;
  for (const mount of mounts) {
    const isAbove = mount.point === '/' || path === mount.point || path.startsWith(`${mount.point}/`);
    if (isAbove && mount.point.length >= (found?.point.length ?? 0)) found = mount;
  }
  return found;
}

/** The kernel writes blanks and the like as three octal digits. */
function decodeOctal(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

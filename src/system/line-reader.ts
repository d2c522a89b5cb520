/** Cuts a stream of bytes into lines of UTF-8. A line longer than `longest` bytes is dropped whole, and told. */
export function readLines(
  onLine: (line: string) => void,
  longest: number,
  onTooLong: () => void = () => undefined,
): (chunk: Buffer) => void {
  let parts: Buffer[] = [];
  let length = 0;
  let tooLong = false;
  const take = (bytes: Buffer): void => {
    length += bytes.length;
    if (length > longest) {
      if (!tooLong) onTooLong();
      tooLong = true;
      parts = [];
    } else {
      parts.push(bytes);
    }
  };
  return (chunk) => {
    let from = 0;
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
      take(chunk.subarray(from, at));
      if (!tooLong) onLine(Buffer.concat(parts).toString('utf8'));
      parts = [];
      length = 0;
      tooLong = false;
      from = at + 1;
    }
    // Copied: the caller may use the chunk's memory again.
    if (from < chunk.length) take(Buffer.from(chunk.subarray(from)));
  };
}

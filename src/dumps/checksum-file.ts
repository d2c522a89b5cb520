/** Which files beside a dump are no dumps themselves. */

/** Of sha256sum, or the manifest of a backup. */
export function isChecksumFile(name: string): boolean {
  return name.endsWith('.sha256') || name === 'manifest.json';
}

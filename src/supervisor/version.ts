/** The build puts the version of package.json here; unbundled code has none. */
declare const __BULKHEAD_VERSION__: string | undefined;

export const VERSION: string =
  typeof __BULKHEAD_VERSION__ === 'string' ? __BULKHEAD_VERSION__ : '0.0.0-source';

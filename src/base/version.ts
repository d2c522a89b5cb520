declare const __BULKHEAD_VERSION__: string | undefined;

/** Of this package, written in by the build from package.json; the sources themselves have none. */
export const VERSION = typeof __BULKHEAD_VERSION__ === 'string' ? __BULKHEAD_VERSION__ : '0.0.0-source';

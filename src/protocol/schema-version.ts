/** Of every JSON document we print or answer; counted up where a shape changes so that an old reader would err. */
export const SCHEMA_VERSION = 1;

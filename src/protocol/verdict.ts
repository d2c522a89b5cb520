/** The product as a whole; `ok` and `warn` are well enough to serve (HTTP 200), `fail` is not (503). */
export type Overall = 'pass' | 'warn' | 'fail';

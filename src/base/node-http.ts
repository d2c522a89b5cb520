/**
 * Node's http module, without what `import … from 'node:http'` brings along: an ES module import reads every export,
 * and the lazy one named WebSocket loads the whole of undici. Measured on Node 24: 20 ms instead of 2.5, and
 * 5.9 MB more private memory. Types may still be imported from 'node:http': they cost nothing.
 */
export const http = process.getBuiltinModule('node:http');

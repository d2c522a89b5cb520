// Loaded into the supervisor before its own code: SIGWINCH becomes an exception that nobody catches.
process.on('SIGWINCH', () => {
  throw new Error('nobody caught this');
});
process.on('SIGCONT', () => {
  Promise.reject(new Error('nobody awaited this'));
});

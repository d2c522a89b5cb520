// A Node service as pm2 knows it: says other things first, then that it is ready (with `never`: not), then stays.
process.send({ type: 'axm:monitor', data: {} });
process.send(`not ready ${'x'.repeat(100_000)}`);
process.on('message', () => undefined);
process.on('disconnect', () => console.log('disconnected'));
if (process.argv[2] !== 'never') process.send('ready', () => console.log('said it'));
setInterval(() => process.send({ type: 'still here' }), 20);

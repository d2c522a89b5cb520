export default { output: 'standalone', images: { unoptimized: true } };

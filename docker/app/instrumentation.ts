/** Next calls this once, before it serves the first request. */
export async function register(): Promise<void> {
  // Next looks at this very comparison to leave the rest out of what it makes for other runtimes.
  if (process.env.NEXT_RUNTIME === 'nodejs') {
    const { readMetricsPort, serveMetrics } = await import('./lib/metrics-server.ts');
    const port = readMetricsPort(process.env.METRICS_PORT);
    if (port !== undefined) serveMetrics(port, (text) => console.warn(text));
  }
}

/**
 * Many calls in one turn of the event loop become one at its end: what looks at all services, asked by each of them,
 * would cost the square of their number.
 */
export function oncePerTurn(run: () => void): () => void {
  let planned = false;
  return () => {
    if (planned) return;
    planned = true;
    setImmediate(() => {
      planned = false;
      run();
    });
  };
}

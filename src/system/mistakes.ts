/**
 * Takes over what nobody caught, exceptions and rejections alike: Node would end the process there and then, and of
 * PID 1 the kernel kills all the others in that moment. Returns the way to stop that.
 */
export function onMistakes(tell: (error: unknown) => void): () => void {
  process.on('uncaughtException', tell).on('unhandledRejection', tell);
  return () => {
    process.off('uncaughtException', tell).off('unhandledRejection', tell);
  };
}

import type { ProductStatus, ServiceStatus } from '../protocol/status.ts';
import { renderBoot, renderProgress, renderStep } from './boot-text.ts';
import { createPaint } from './terminal.ts';

/** Where the view writes: the same output the services' lines go to, else it could not stay out of their way. */
export interface BootOutput {
  write(text: string): void;
  /** Columns of the terminal; undefined: it is none, and only the final table is written. */
  readonly columns: number | undefined;
}

/** Shows a boot: one line per finished step, one line that moves, the table at the end. */
export interface BootView {
  /** Call at every change of status while booting; ignored after `finish`. */
  show(product: ProductStatus): void;
  /** Writes something else (a log line) with the moving line out of its way. `write` must end with a newline. */
  around(write: () => void): void;
  /** Takes the moving line away and writes the table; call once, when everything is ready. */
  finish(product: ProductStatus): void;
  /** Takes the moving line away and writes nothing more: the boot has failed or was interrupted. */
  abandon(): void;
}

const FRAMES = [...'⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏'];
const ERASE_LINE = '\r\x1b[2K';

/**
 * The frame turns with each `show`, not with a timer: it moves when something moves.
 * @param command how people call this program here
 */
export function createBootView(output: BootOutput, color: boolean, command = 'bulkhead'): BootView {
  const paint = createPaint(color);
  const told = new Map<string, number>();
  let live = '';
  let turn = 0;
  let over = false;

  const erase = () => {
    if (live !== '') output.write(ERASE_LINE);
  };
  return {
    show(product) {
      const { columns } = output;
      if (over || columns === undefined) return;
      const ended = product.services.filter(
        (service) => isEnded(service) && told.get(service.name) !== service.generation,
      );
      for (const { name, generation } of ended) told.set(name, generation);
      const steps = ended.map((service) => `${renderStep(service, columns, paint)}\n`).join('');
      const next = renderProgress(product, FRAMES[turn % FRAMES.length] ?? '', columns, paint);
      turn += 1;
      output.write(`${live === '' ? '' : ERASE_LINE}${steps}${next}`);
      live = next;
    },
    around(write) {
      erase();
      write();
      if (live !== '') output.write(live);
    },
    finish(product) {
      if (over) return;
      over = true;
      erase();
      live = '';
      output.write(`${renderBoot(product, output.columns, color, command)}\n`);
    },
    abandon() {
      over = true;
      erase();
      live = '';
    },
  };
}

function isEnded({ status, generation }: ServiceStatus): boolean {
  return (
    generation > 0 && (status === 'ready' || status === 'done' || status === 'failed' || status === 'backoff')
  );
}

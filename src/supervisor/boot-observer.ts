import type { ProductStatus } from '../protocol/status.ts';

/** Who shows the boot to a person. */
export interface BootObserver {
  show(product: ProductStatus): void;
  /** Writes something else with what is shown out of its way. */
  around(write: () => void): void;
  finish(product: ProductStatus): void;
  abandon(): void;
}

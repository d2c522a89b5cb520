/** What people have asked for and is under way, so that who looks at the product sees it and not only who asked. */

import type { Report } from '../protocol/channel.ts';
import { progressText } from '../protocol/overall.ts';

export class Working {
  private readonly texts = new Map<number, string>();
  private count = 0;

  /** In the words of its last progress, oldest first. */
  list(): readonly string[] {
    return [...this.texts.values()];
  }

  /** Listens to one run from its start; `end` when it is over. */
  follow(onReport: (report: Report) => void): { readonly hear: (report: Report) => void; end(): void } {
    this.count += 1;
    const id = this.count;
    return {
      hear: (report) => {
        if (report.type === 'progress') this.texts.set(id, progressText(report.progress));
        onReport(report);
      },
      end: () => void this.texts.delete(id),
    };
  }
}

import { dayOf } from '../../base/log-names.ts';
import { parseStoredLine, shortJobId, stampOf } from '../../protocol/stored-line.ts';
import type { Block } from './block-queue.ts';
import type { FileWriter } from './file-writer.ts';
import { addLines, type LinePrefix, linePrefix } from './line-prefix.ts';
import type { Flow } from './loud-services.ts';
import type { JobMark } from './record-shapes.ts';
import { Renderer } from './render.ts';
import { CONTINUES, CONTROLS, GOES_ON, HIGH, LineSplitter } from './split-lines.ts';
import type { Surroundings } from './surroundings.ts';
import type { Tail } from './tail.ts';
import { runsOf } from './whole-lines.ts';

/** A prompt without a newline is shown after this much silence. */
const SILENCE = 1000;
/** What comes when a service is told to end, or has died, is shown however loud it was; about so many bytes of it. */
const LAST_BYTES = 64 * 1024;
/** So many of the lines that were hidden just before are shown then. */
const LAST_LINES = 20;
const NEWLINE = 0x0a;
const OPEN_BRACE = 0x7b;

/** Where what a service says is kept. */
interface ServiceStore {
  readonly name: string;
  readonly tail: Tail;
  readonly file: FileWriter;
  readonly flow: Flow;
}

export interface Source {
  readonly stream: 'stdout' | 'stderr';
  readonly generation: number;
  readonly pid: number | undefined;
  readonly job?: JobMark | undefined;
}

/** One stream of one generation: bytes in, lines out to the file, to standard output and to who listens. */
export class Intake {
  private readonly log: ServiceStore;
  private readonly around: Surroundings;
  private readonly source: Source;
  private readonly renderer: Renderer;
  private readonly jobId: string | undefined;
  private readonly splitter: LineSplitter;
  private readonly fullStamp: Buffer;
  private readonly partStamp: Buffer;
  private now = -1;
  private time = '';
  private stamps: LinePrefix | undefined;
  private listened = false;
  /** What comes now is for standard output too. */
  private shown = true;
  /** Lines that were hidden since some were shown last. */
  private unseen = 0;
  /** Bytes that may be shown because it ends. */
  private lastBytes = 0;
  /** The lines to come stand in the file already. */
  private isStored = false;
  /** What has been searched for secrets, and has none. */
  private clean: Buffer | undefined;
  private silenced = false;
  private lastChunk = 0;
  private disarm: (() => void) | undefined;
  private block: Block | undefined;
  private blockFrom = 0;

  constructor(log: ServiceStore, around: Surroundings, source: Source) {
    const { stream, pid, job } = source;
    this.jobId = job && shortJobId(job.id);
    this.log = log;
    this.around = around;
    this.source = source;
    this.renderer = new Renderer(around.look, log.name, stream, pid, job);
    this.splitter = new LineSplitter(
      (bytes, start, end, content, part) => {
        const isSearched = this.isStored || bytes === this.clean;
        const hidden = isSearched ? undefined : around.redactor.hide(bytes, start, end);
        if (hidden) this.line(hidden, 0, hidden.length, content, part);
        else this.line(bytes, start, end, content, part);
      },
      (bytes, end) => around.redactor.cutBefore(bytes, end),
    );
    this.fullStamp = Buffer.from(stampOf(new Date(0).toISOString(), stream, false, this.jobId));
    this.partStamp = Buffer.from(stampOf(new Date(0).toISOString(), stream, true, this.jobId));
  }

  take(chunk: Buffer): void {
    this.begin();
    this.shown = this.around.output.isShown && this.mayShow(chunk.length);
    if (this.shown) this.unseen = 0;
    this.takeLines(this.listened ? chunk : this.takeRuns(chunk));
    this.finish();
    if (this.splitter.holds && !this.disarm) this.watchSilence(SILENCE);
  }

  /** It is told to end, or has died: what came last and what comes next may say why. */
  rush(): void {
    this.lastBytes = LAST_BYTES;
    this.begin();
    this.showUnseen();
    this.finish();
  }

  end(): void {
    this.disarm?.();
    this.disarm = undefined;
    this.begin();
    this.showUnseen();
    this.shown = this.around.output.isShown;
    this.splitter.flush();
    this.finish();
  }

  private mayShow(bytes: number): boolean {
    if (this.around.loud.mayShow(this.log.flow, this.source.stream, bytes)) return true;
    const may = this.lastBytes > 0;
    this.lastBytes -= bytes;
    return may;
  }

  /** The newest lines that were hidden; they stay counted as such. */
  private showUnseen(): void {
    if (this.unseen === 0) return;
    const { name, tail } = this.log;
    const lines = tail.lines(Number.POSITIVE_INFINITY).flatMap((text) => {
      const line = parseStoredLine(name, text);
      return line?.stream === this.source.stream && line.job === this.jobId ? [Buffer.from(line.line)] : [];
    });
    for (const line of lines.slice(-Math.min(this.unseen, LAST_LINES))) {
      this.renderer.line(this.around.output.queue, line, 0, line.length, CONTROLS | HIGH, 0);
    }
    this.unseen = 0;
  }

  private begin(): void {
    const now = this.around.clock.now();
    this.lastChunk = this.around.clock.mono();
    this.log.file.queue.day = dayOf(now);
    this.listened = this.around.listeners.wants(this.log.name);
    if (now === this.now) return;
    this.now = now;
    this.time = new Date(now).toISOString();
    this.fullStamp.write(this.time, 'latin1');
    this.partStamp.write(this.time, 'latin1');
    this.stamps = undefined;
    this.renderer.at(now);
  }

  /** Hands on what comes in whole lines by the hundred. Returns what must be looked at line by line. */
  private takeRuns(chunk: Buffer): Buffer {
    let from = 0;
    if (this.splitter.isInside) {
      from = chunk.indexOf(NEWLINE) + 1;
      if (from === 0) return chunk;
      this.splitter.push(chunk.subarray(0, from));
    }
    return chunk.subarray(runsOf(chunk, from, (start, end) => this.run(chunk.subarray(start, end))));
  }

  /** Searched as one: only a line that began before it must be searched for itself. */
  private takeLines(bytes: Buffer): void {
    const text = bytes.includes(OPEN_BRACE) ? bytes.toString('latin1') : undefined;
    this.clean = this.around.redactor.touches(bytes, text) ? undefined : bytes;
    this.splitter.push(bytes);
    this.clean = undefined;
  }

  private run(bytes: Buffer): void {
    const text = bytes.toString('latin1', 0, bytes.length - 1);
    // Most blocks have no brace at all, which is the cheaper question.
    const hasRecords = bytes.includes(OPEN_BRACE) && (bytes[0] === OPEN_BRACE || text.includes('\n{'));
    if (bytes.includes(0) || this.around.redactor.touches(bytes, hasRecords ? text : undefined)) {
      this.splitter.push(bytes);
      return;
    }
    this.remember();
    this.stamps ??= linePrefix(this.fullStamp.toString('latin1'));
    const { block, from, lines } = addLines(this.log.file.queue, text, this.stamps);
    this.log.tail.add(block.bytes, from, block.used);
    const { output } = this.around;
    if (!this.shown) {
      this.hide(lines);
      return;
    }
    if (!hasRecords && this.renderer.takesRun(bytes)) {
      this.renderer.run(output.queue, text);
      return;
    }
    this.isStored = true;
    this.splitter.push(bytes);
    this.isStored = false;
  }

  private finish(): void {
    this.remember();
    this.log.file.kick();
    this.around.output.kick();
  }

  private line(bytes: Buffer, start: number, end: number, content: number, part: number): void {
    if (!this.isStored) this.storeLine(bytes, start, end, content, part);
    const outputWants = !(part & CONTINUES) || this.silenced;
    const shownPart = this.silenced ? 0 : part;
    if (outputWants && !this.shown) this.hide(1);
    else if (outputWants) this.renderer.line(this.around.output.queue, bytes, start, end, content, shownPart);
    if (!(part & GOES_ON)) this.silenced = false;
    if (!this.listened) return;
    const line = bytes.toString('utf8', start, bytes[end - 1] === 0x0d ? end - 1 : end);
    const { stream, generation } = this.source;
    const job = this.jobId === undefined ? {} : { job: this.jobId };
    this.around.listeners.tell({ time: this.time, service: this.log.name, stream, ...job, line }, generation);
  }

  /** The files have them. */
  private hide(lines: number): void {
    if (!this.around.output.isShown) return;
    this.unseen += lines;
    this.log.flow.hiddenLines += lines;
    this.around.output.hide(lines);
  }

  private storeLine(bytes: Buffer, start: number, end: number, content: number, part: number): void {
    const stamp = part & GOES_ON ? this.partStamp : this.fullStamp;
    if (content & CONTROLS && bytes.subarray(start, end).includes(0)) {
      // One NUL would make grep call the whole file binary.
      const harmless = Buffer.from(bytes.toString('latin1', start, end).replaceAll('\0', '\\x00'), 'latin1');
      this.storeLine(harmless, 0, harmless.length, 0, part);
      return;
    }
    const block = this.log.file.queue.room(stamp.length + end - start + 1);
    if (block !== this.block) {
      this.remember();
      this.block = block;
      this.blockFrom = block.used;
    }
    const target = block.bytes;
    target.set(stamp, block.used);
    let at = block.used + stamp.length;
    at += bytes.copy(target, at, start, end);
    target[at] = 0x0a;
    block.used = at + 1;
    block.lines += 1;
  }

  /** One copy per chunk into the memory of last lines, instead of one per line. */
  private remember(): void {
    if (this.block) this.log.tail.add(this.block.bytes, this.blockFrom, this.block.used);
    this.block = undefined;
  }

  private watchSilence(after: number): void {
    this.disarm = this.around.clock.after(after, () => {
      this.disarm = undefined;
      if (!this.splitter.holds) return;
      const left = this.lastChunk + SILENCE - this.around.clock.mono();
      if (left > 0) return this.watchSilence(left);
      // A record is no prompt, and only a whole one shows what its keys call a secret.
      if (this.splitter.firstHeld === OPEN_BRACE) return;
      const { silenced } = this;
      this.begin();
      this.silenced = true;
      this.shown = this.around.output.isShown;
      // What could be the beginning of a secret waits for what comes next, however long that takes.
      if (!this.splitter.flushPiece()) this.silenced = silenced;
      this.finish();
    });
  }
}

import decodeIco from 'decode-ico';
import sharp, { type Sharp } from 'sharp';
import { Problem } from '../problem.ts';

/** The sizes that the app shows, in pixels. */
export const LOGO_SIZE = 128;
export const SCREENSHOT = { width: 1280, height: 800 } as const;
/** Below this an icon would be a smear beside our drawn logos. */
const LEAST_LOGO_SIZE = 32;

// One picture at a time and nothing kept: this process lives for one tool, beside a browser.
sharp.cache(false);
sharp.concurrency(1);

/** A logo of fixed size: WebP, whole, centred, on nothing. Throws where it is no picture, or a tiny one. */
export async function makeLogo(file: Buffer, mostPixels: number): Promise<Buffer> {
  const picture = isIco(file) ? openIco(file, mostPixels) : openPicture(file, mostPixels);
  const { width, height, format } = await picture.metadata();
  if (format !== 'svg' && Math.max(width, height) < LEAST_LOGO_SIZE) {
    throw new Problem(`the icon is only ${width} by ${height} pixels`);
  }
  return picture
    .resize(LOGO_SIZE, LOGO_SIZE, { fit: 'contain', background: '#0000', kernel: 'lanczos3' })
    .webp({ quality: 85, alphaQuality: 90, effort: 4 })
    .toBuffer();
}

/** A screenshot of fixed size: WebP. */
export async function makeScreenshot(png: Buffer, mostPixels: number): Promise<Buffer> {
  return openPicture(png, mostPixels)
    .resize(SCREENSHOT.width, SCREENSHOT.height, { fit: 'cover', position: 'top' })
    .flatten({ background: '#fff' })
    .webp({ quality: 72, effort: 4 })
    .toBuffer();
}

function openPicture(file: Buffer, mostPixels: number): Sharp {
  // A small SVG is drawn large enough; the pixels are counted before any is decoded.
  const density = isSvg(file) ? 300 : 72;
  return sharp(file, { limitInputPixels: mostPixels, density, pages: 1, failOn: 'error' }).autoOrient();
}

function isSvg(file: Buffer): boolean {
  return /^\s*<(\?xml|!--|!DOCTYPE svg|svg)/i.test(
    file
      .subarray(0, 200)
      .toString('utf8')
      .replace(/^\uFEFF/, ''),
  );
}

/** The header of .ico (and .cur) files, which libvips cannot read. */
function isIco(file: Buffer): boolean {
  return file.length > 22 && file.readUInt16LE(0) === 0 && [1, 2].includes(file.readUInt16LE(2));
}

const ICO_HEADER = 6;
const ICO_ENTRY = 16;

/** Whether every picture that the header names lies in the file: the decoder makes up what is missing. */
function isWholeIco(file: Buffer): boolean {
  const entries = file.readUInt16LE(4);
  if (file.length < ICO_HEADER + entries * ICO_ENTRY) return false;
  return Array.from({ length: entries }, (_, index) => ICO_HEADER + index * ICO_ENTRY).every(
    (at) => file.readUInt32LE(at + 8) + file.readUInt32LE(at + 12) <= file.length,
  );
}

function openIco(file: Buffer, mostPixels: number): Sharp {
  if (!isWholeIco(file)) throw new Problem('the icon is cut off');
  const [largest] = decodeIco(file).toSorted((a, b) => b.width - a.width);
  if (!largest || largest.width * largest.height > mostPixels) throw new Problem('the icon holds no picture');
  if (largest.type === 'png') return openPicture(Buffer.from(largest.data), mostPixels);
  const { width, height } = largest;
  return sharp(Buffer.from(largest.data), {
    raw: { width, height, channels: 4 },
    limitInputPixels: mostPixels,
  });
}

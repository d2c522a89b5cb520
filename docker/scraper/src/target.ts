import type { Client } from 'pg';
import { findTool, findToolByUrl, type Tool } from './database/tools.ts';
import { Problem } from './problem.ts';

/** What a job's data asks for. */
export type Asked = { readonly tool: number } | { readonly url: string };

/** Reads `{ "tool": 17 }` or `{ "url": "https://…" }`. */
export function readAsked(data: Readonly<Record<string, unknown>>): Asked {
  const { tool, url } = data;
  if (tool !== undefined && url !== undefined)
    throw new Problem('cannot scrape: give a tool or a url, not both');
  if (url !== undefined) return { url: readWebAddress(url) };
  const id = typeof tool === 'string' && /^\d+$/.test(tool) ? Number(tool) : tool;
  if (typeof id === 'number' && Number.isInteger(id) && id > 0 && id <= 2_147_483_647) return { tool: id };
  throw new Problem('cannot scrape: the data must be {"tool": a number} or {"url": "https://…"}');
}

/** An address for the browser: http or https, without a password in it. */
export function readWebAddress(value: unknown): string {
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined;
  if (!url || value !== String(value).trim())
    throw new Problem(`cannot scrape ${JSON.stringify(value)}: it is no address`);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new Problem(`cannot scrape a ${url.protocol} address: only http and https are opened`);
  }
  if (url.username || url.password) throw new Problem('cannot scrape an address with a password in it');
  return url.href;
}

/** The tool that is meant; undefined where an address belongs to none. */
export async function findTarget(client: Client, asked: Asked): Promise<Tool | undefined> {
  if ('url' in asked) return findToolByUrl(client, asked.url);
  const tool = await findTool(client, asked.tool);
  if (!tool) throw new Problem(`cannot scrape tool ${asked.tool}: there is none`);
  if (!tool.url) throw new Problem(`cannot scrape tool ${asked.tool} (${tool.name}): it has no address`);
  return tool;
}

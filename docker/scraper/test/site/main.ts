// node test/site/main.ts PORT: the site by itself, for trials by hand and for benches.
import { startSite } from './site.ts';

const site = await startSite(Number(process.argv[2] ?? 8181));
console.log(`the site of 200 pages: ${site.url}/page/1`);

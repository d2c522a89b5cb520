// What a page may try from inside the browser to reach what is not public: nobody there may see a connection.
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, createServer } from 'node:net';
import { after, before, test } from 'node:test';
import { lookAt } from '../../src/look-at.ts';
import { readSettings } from '../../src/settings.ts';
import { type Site, startSite } from '../site/site.ts';
import { makeCertificate } from '../support/certificate.ts';

/** A TCP and a UDP server on one port of every address of the loopback: it notes who comes. */
interface Secret {
  readonly port: number;
  readonly seen: string[];
  close(): Promise<void>;
}

async function startSecret(): Promise<Secret> {
  const seen: string[] = [];
  const tcp = createServer((socket) => {
    seen.push('tcp');
    socket.on('error', () => {});
    socket.end('HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\nContent-Length: 6\r\n\r\nsecret');
  });
  await new Promise<void>((resolve) => tcp.listen(0, '::', resolve));
  const { port } = tcp.address() as AddressInfo;
  const udp = createSocket({ type: 'udp6' });
  udp.on('message', (message) => seen.push(`udp ${message.length}`));
  await new Promise<void>((resolve) => udp.bind(port, '::', resolve));
  const close = async () => {
    await new Promise<void>((resolve) => udp.close(resolve));
    await new Promise((resolve) => tcp.close(resolve));
  };
  return { port, seen, close };
}

let secret: Secret;
let site: Site;
const pages = new Map<string, { body: string; location?: string }>();

before(async () => {
  secret = await startSecret();
  site = await startSite(0, (path, response) => {
    const page = pages.get(path);
    if (!page) return false;
    const headers = { 'content-type': 'text/html', ...(page.location ? { location: page.location } : {}) };
    response.writeHead(page.location ? 302 : 200, headers).end(page.body);
    return true;
  });
});
after(async () => {
  await site.close();
  await secret.close();
});

const said: string[] = [];

async function open(path: string) {
  said.length = 0;
  const settings = readSettings({
    SCRAPER_ALLOW_PRIVATE: `127.0.0.1:${site.port}`,
    CHROMIUM_PATH: process.env.CHROMIUM_PATH,
    SCRAPER_PAGE_TIMEOUT: '20',
  });
  const signal = AbortSignal.timeout(60_000);
  return lookAt(site.url + path, { settings, signal, progress() {}, say: (text) => void said.push(text) });
}

/** Every name of this machine that a page could think of. */
const hosts = () => [
  '127.0.0.1',
  'localhost',
  '2130706433',
  '0x7f.1',
  '[::1]',
  '[::ffff:127.0.0.1]',
  '0.0.0.0',
  '127.0.0.2',
];

test('a redirect of the page itself to a port of ours', async () => {
  // A browser for each; the proxy's own tests know more spellings.
  for (const host of ['127.0.0.1', 'localhost', '2130706433', '[::ffff:127.0.0.1]']) {
    pages.set('/away', { body: '', location: `http://${host}:${secret.port}/` });
    await assert.rejects(open('/away'), /refused .* is not a public address/, host);
  }
  assert.deepEqual(secret.seen, []);
});

test('a page that goes there by itself, and to files', async () => {
  for (const address of [
    `http://127.0.0.1:${secret.port}/`,
    'file:///etc/passwd',
    'chrome://version',
    'data:text/html,hi',
    'view-source:file:///etc/passwd',
  ]) {
    pages.set('/goes', {
      body: `<title>Goes</title><script>location.href = ${JSON.stringify(address)}</script>`,
    });
    const seen = await open('/goes').catch((error: Error) => error);
    if (seen instanceof Error) assert.match(seen.message, /cannot open/, address);
    else assert.equal(seen.facts.title, 'Goes', address);
  }
  assert.deepEqual(secret.seen, []);
});

test('frames, pictures, fetch, sockets, workers, beacons and prefetches', async () => {
  const urls = hosts().map((host) => `${host}:${secret.port}`);
  pages.set('/tries', {
    body: `<!doctype html><title>Tries</title>
${urls.map((url) => `<iframe src="http://${url}/"></iframe><img src="http://${url}/i"><link rel="dns-prefetch" href="//${url}"><link rel="preconnect" href="http://${url}"><link rel="prefetch" href="http://${url}/p"><link rel="icon" href="http://${url}/icon"><script src="http://${url}/s"></script><video src="http://${url}/v"></video>`).join('\n')}
<script type="speculationrules">{"prerender": [{"urls": ["http://${urls[0]}/spec"]}], "prefetch": [{"urls": ["http://${urls[0]}/spec2"]}]}</script>
<script>
const urls = ${JSON.stringify(urls)};
const outcomes = {};
const done = [];
for (const url of urls) {
  done.push(fetch('http://' + url + '/f', { mode: 'no-cors' }).then(() => { outcomes[url] = 'reached' }, () => { outcomes[url] = 'refused' }));
  const socket = new WebSocket('ws://' + url + '/w');
  done.push(new Promise((resolve) => { socket.onopen = socket.onerror = socket.onclose = resolve }));
  try { navigator.sendBeacon('http://' + url + '/b', 'x') } catch {}
  try { new EventSource('http://' + url + '/e') } catch {}
  try { new WebTransport('https://' + url + '/t').closed.catch(() => {}) } catch {}
  try { new WebTransport('https://' + url + '/t').ready.catch(() => {}) } catch {}
}
const worker = new Worker(URL.createObjectURL(new Blob(['for (const url of ' + JSON.stringify(urls) + ') fetch("http://" + url + "/worker", { mode: "no-cors" }).catch(() => {})'])));
Promise.all(done).then(() => { document.title = 'Tried ' + Object.values(outcomes).join(' ') });
</script>`,
  });
  const { facts } = await open('/tries');
  assert.deepEqual(secret.seen, []);
  // The plain proxy answers http itself, with 403: the page cannot tell, but nobody was asked.
  assert.match(facts.title ?? '', /^Tried /);
  assert.ok(
    said.some((line) => /is not a public address/.test(line)),
    said.join('\n'),
  );
});

test('WebRTC: STUN and TURN over UDP and TCP, and a peer beside us', async () => {
  const urls = hosts().map((host) => `${host}:${secret.port}`);
  pages.set('/calls', {
    body: `<!doctype html><title>Calls</title><script>
const urls = ${JSON.stringify(urls)};
const iceServers = urls.slice(0, 6).flatMap((url) => [
  { urls: 'stun:' + url },
  { urls: 'turn:' + url + '?transport=udp', username: 'u', credential: 'c' },
  { urls: 'turn:' + url + '?transport=tcp', username: 'u', credential: 'c' },
]);
let made = 0, candidates = [];
const call = async (servers) => {
  const peer = new RTCPeerConnection({ iceServers: servers });
  peer.onicecandidate = ({ candidate }) => candidate && candidates.push(candidate.candidate);
  peer.createDataChannel('x');
  await peer.setLocalDescription(await peer.createOffer());
  made += 1;
  // An answer that names the secret port as the other side.
  const offer = peer.localDescription.sdp;
  const answer = offer.replace('a=setup:actpass', 'a=setup:active').replace(/a=candidate.*\\r\\n/g, '')
    + 'a=candidate:1 1 udp 2130706431 127.0.0.1 ${'${PORT}'} typ host\\r\\n'
    + 'a=candidate:2 1 tcp 1518280447 127.0.0.1 ${'${PORT}'} typ host tcptype passive\\r\\n';
  await peer.setRemoteDescription({ type: 'answer', sdp: answer });
};
Promise.all([call(iceServers), ...iceServers.map((one) => call([one]))])
  .then(() => { document.title = 'Called ' + made + ' ' + candidates.length }, (error) => { document.title = 'Failed ' + error });
</script><img src="/slow">`.replaceAll('${PORT}', String(secret.port)),
  });
  const { facts } = await open('/calls');
  assert.match(facts.title ?? '', /^Called 19/, 'the page must really have tried');
  assert.deepEqual(secret.seen, []);
});

test('https goes through the proxy as a tunnel, and a certificate that nobody vouches for is no page', async () => {
  const secure = createSecureServer(
    makeCertificate(),
    (_request, response) => void response.end('<title>S</title>'),
  );
  await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve));
  const { port } = secure.address() as AddressInfo;
  const settings = readSettings({
    SCRAPER_ALLOW_PRIVATE: `127.0.0.1:${port}, 127.0.0.1:${site.port}`,
    CHROMIUM_PATH: process.env.CHROMIUM_PATH,
  });
  pages.set('/frame', {
    body: `<title>Frame</title><script>fetch('https://127.0.0.1:${port}/', { mode: 'no-cors' }).then(() => { document.title = 'in' }, () => { document.title = 'refused' })</script>`,
  });
  const tried: string[] = [];
  secure.on('tlsClientError', ({ message }) => tried.push(message));
  const look = (url: string) =>
    lookAt(url, { settings, signal: AbortSignal.timeout(60_000), progress() {}, say() {} });
  // robots.txt is asked for first, by ourselves.
  await assert.rejects(look(`https://127.0.0.1:${port}/`), /robots\.txt: self-signed certificate/);
  const ours = tried.length;
  assert.ok(ours > 0);
  assert.equal((await look(`${site.url}/frame`)).facts.title, 'refused');
  assert.ok(tried.length > ours, 'the browser must have come as far as the certificate');
  secure.close();
});

test('icons of ours are fetched through the same guard', async () => {
  pages.set('/icon', {
    body: `<title>Icon</title><link rel="icon" sizes="256x256" href="http://127.0.0.1:${secret.port}/i.png"><link rel="icon" sizes="128x128" href="/bounce">`,
  });
  pages.set('/bounce', { body: '', location: `http://localhost:${secret.port}/i.png` });
  const seen = await open('/icon');
  assert.equal(seen.logo, undefined);
  assert.equal(said.filter((line) => /no logo from .*refused/.test(line)).length, 2, said.join('\n'));
  assert.deepEqual(secret.seen, []);
});

import type { Surroundings } from './surroundings.ts';

export interface FlagOptions {
  readonly headlessShell: boolean;
  readonly profile: string;
  readonly proxyPort: number;
  readonly surroundings: Surroundings;
}

/** The name that only the browser knows, and that is the only one it can resolve. */
const PROXY_NAME = 'proxy.invalid';

export const VIEWPORT = { width: 1280, height: 800 } as const;

/** Chromium's command line. Nothing secret is in it. */
export function chromiumFlags({ headlessShell, profile, proxyPort, surroundings }: FlagOptions): string[] {
  return [
    ...(headlessShell ? [] : ['--headless=new']),
    '--remote-debugging-pipe',
    `--user-data-dir=${profile}`,
    `--window-size=${VIEWPORT.width},${VIEWPORT.height}`,
    // Out only through our proxy. The proxy resolves names, so the browser has no need to: a connection that
    // forgot the proxy finds no host, literal addresses included.
    `--proxy-server=http://${PROXY_NAME}:${proxyPort}`,
    '--proxy-bypass-list=<-loopback>',
    `--host-resolver-rules=MAP ${PROXY_NAME} 127.0.0.1,MAP * ~NOTFOUND`,
    // UDP knows no such proxy.
    '--disable-quic',
    '--webrtc-ip-handling-policy=disable_non_proxied_udp',
    '--force-webrtc-ip-handling-policy=disable_non_proxied_udp',
    // One page of a stranger, without cookies: nothing for a second page to read, and fewer processes.
    '--block-new-web-contents',
    '--deny-permission-prompts',
    '--no-first-run',
    '--no-default-browser-check',
    '--no-pings',
    '--mute-audio',
    '--hide-scrollbars',
    '--disable-background-networking',
    '--disable-breakpad',
    '--disable-crash-reporter',
    '--disable-client-side-phishing-detection',
    '--disable-component-extensions-with-background-pages',
    '--disable-component-update',
    '--disable-default-apps',
    '--disable-domain-reliability',
    '--disable-extensions',
    '--disable-field-trial-config',
    '--disable-gpu',
    '--disable-search-engine-choice-screen',
    '--disable-sync',
    '--disable-3d-apis',
    '--metrics-recording-only',
    '--allow-browser-signin=false',
    '--component-updater=url-source=http://none.invalid',
    '--gaia-url=http://none.invalid',
    '--variations-server-url=http://none.invalid',
    '--password-store=basic',
    '--disable-features=AutofillServerCommunication,BackForwardCache,CertificateTransparencyComponentUpdater,DnsOverHttps,IsolateOrigins,MediaRouter,NetworkPrediction,NetworkTimeServiceQuerying,OptimizationHints,Translate,WebUSB,site-per-process',
    // A page's own heap; a page that needs more is ended by V8 as a crashed tab.
    '--js-flags=--max-old-space-size=256',
    ...(surroundings.smallSharedMemory ? ['--disable-dev-shm-usage'] : []),
    ...(surroundings.noSandbox ? ['--no-sandbox'] : []),
    'about:blank',
  ];
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isPublic, plainAddress } from '../src/net/addresses.ts';
import { readAllowed } from '../src/net/allowed.ts';

test('hosts of the internet are public', () => {
  for (const address of [
    '1.1.1.1',
    '8.8.8.8',
    '93.184.215.14',
    '172.15.0.1',
    '172.32.0.1',
    '100.63.255.255',
    '100.128.0.0',
    '223.255.255.255',
    '2606:4700::1111',
    '2a00:1450:4001::200e',
    '::ffff:8.8.8.8',
    '64:ff9b::808:808',
  ]) {
    assert.equal(isPublic(address), true, address);
  }
});

test('everything else is not, in every spelling', () => {
  const refused = [
    ['0.0.0.0', '0.1.2.3', '10.0.0.1', '10.255.255.255', '127.0.0.1', '127.255.255.254', '169.254.169.254'],
    [
      '172.16.0.1',
      '172.31.255.255',
      '192.168.1.1',
      '100.64.0.1',
      '100.127.255.255',
      '192.0.0.8',
      '198.18.0.1',
    ],
    [
      '192.0.2.1',
      '198.51.100.7',
      '203.0.113.9',
      '224.0.0.1',
      '239.255.255.250',
      '240.0.0.1',
      '255.255.255.255',
    ],
    [
      '::',
      '::1',
      '0:0:0:0:0:0:0:1',
      'fc00::1',
      'fd12:3456::1',
      'fe80::1',
      'fe80::1%eth0',
      'fec0::1',
      'ff02::1',
    ],
    ['::ffff:127.0.0.1', '::ffff:7f00:1', '0:0:0:0:0:ffff:10.0.0.1', '::ffff:a00:1', '::127.0.0.1'],
    ['64:ff9b::7f00:1', '64:ff9b::192.168.0.1', '64:ff9b:1::1', '2002:7f00:1::', '2001:db8::1', '2001::1'],
    ['', 'localhost', '127.1', '2130706433', '0x7f000001', '017700000001', 'example.org'],
  ].flat();
  for (const address of refused) assert.equal(isPublic(address), false, address);
});

test('an address inside another is the one that counts', () => {
  assert.equal(plainAddress('::ffff:192.168.0.9'), '192.168.0.9');
  assert.equal(plainAddress('::FFFF:C0A8:9'), '192.168.0.9');
  assert.equal(plainAddress('64:ff9b::1'), '0.0.0.1');
  assert.equal(plainAddress('2606:4700::1'), '2606:4700::1');
});

test('what is allowed is a network, an address or a name, with or without a port', () => {
  const allowed = readAllowed('10.1.0.0/16, 127.0.0.1:8080 [::1]:80,fd00::/8 intranet.local wiki.local:3000');
  assert.equal(allowed('x', '10.1.2.3', 5432), true);
  assert.equal(allowed('x', '::ffff:10.1.2.3', 80), true);
  assert.equal(allowed('x', '10.2.0.1', 80), false);
  assert.equal(allowed('x', '127.0.0.1', 8080), true);
  assert.equal(allowed('x', '127.0.0.1', 8081), false);
  assert.equal(allowed('x', '::1', 80), true);
  assert.equal(allowed('x', '::1', 81), false);
  assert.equal(allowed('x', 'fd12::1', 81), true);
  assert.equal(allowed('Intranet.local.', '192.168.0.1', 9), true);
  assert.equal(allowed('wiki.local', '192.168.0.1', 3000), true);
  assert.equal(allowed('wiki.local', '192.168.0.1', 80), false);
  assert.equal(allowed('not-intranet.local', '192.168.0.1', 9), false);
  assert.equal(readAllowed('')('x', '127.0.0.1', 80), false);
});

test('a word that is none of them is refused by name', () => {
  for (const bad of [
    '10.0.0.0/33',
    '10.0.0.0/8/1',
    'a b/c',
    'host:0',
    'host:70000',
    '::/129',
    'intranet/8',
    '10.0.0.0/',
  ]) {
    assert.throws(() => readAllowed(bad), /cannot read SCRAPER_ALLOW_PRIVATE/, bad);
  }
});

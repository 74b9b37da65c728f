import { readFileSync } from 'node:fs'

import { bar, type Bar, type Bench, type Report, type Table } from './lib/bench.ts'
import { type Idle, openIdle } from './lib/idle-streams.ts'
import { raiseOpenFiles } from './lib/open-files.ts'
import { downloadBytes, type OnItsWay, readBytes, readers, stall, type Stalled } from './lib/stalled-downloads.ts'
import { median } from './lib/stats.ts'
import { withGateway } from './lib/stream-gateway.ts'

const kilobyte = 1e3
const mebibyte = 1024 * 1024

const inFlightMax = 8 * mebibyte
const driftMax = 64 * mebibyte

const streamsWanted = 10_000
/** Two sockets a stream in the gateway, and what else it has open. */
const filesWanted = 2 * streamsWanted + 1_000
const otherFiles = 300
const streamBytesMax = 40 * kilobyte

export const streams: Bench = {
  name: 'streams',
  about: 'memory of the gateway with 200 stalled downloads, and with 10,000 idle event streams',
  run: async ({ quick, progress }) => {
    progress(`${readers} readers of ${mib(downloadBytes)} each take ${mib(readBytes)} and stall`)
    const stalled = await withGateway(downloadBytes, (gateway) => stall(gateway, quick ? 5 : 30))
    const files = raiseOpenFiles(filesWanted)
    const count = Math.min(quick ? 2_000 : streamsWanted, Math.floor((files - otherFiles) / 2))
    progress(`${count} event streams`)
    const idle = await withGateway(downloadBytes, (gateway) => openIdle(gateway, count))
    return report(stalled, idle, files, quick)
  },
}

function report(stalled: Stalled, idle: Idle, files: number, quick: boolean): Report {
  const drift = stalled.last - stalled.first
  const aStream = (idle.opened - idle.before) / idle.count
  return {
    tables: [memoryTable(stalled, idle), wayTable(stalled)],
    bars: [
      bar(
        `${readers} stalled downloads: the gateway holds at most ${mib(inFlightMax)} of each`,
        `${mib(most(stalled, 'own'))} at most`,
        most(stalled, 'own') <= inFlightMax,
      ),
      bar(
        `${readers} stalled downloads: RSS stays within ${mib(driftMax)} of what it was after 10 s`,
        `${mib(drift)} away at most`,
        Math.abs(drift) <= driftMax,
      ),
      bar(
        'who reads on gets all of it, and the upstream of who left is told',
        `${mib(stalled.whole)}, ${stalled.leftOpen} left open`,
        stalled.whole === downloadBytes && stalled.leftOpen === 0,
      ),
      idleBar(idle, aStream),
      bar('each of them still carries an event', `${idle.alive} of ${idle.count}`, idle.alive === idle.count),
    ],
    notes: [
      'RSS of the gateway as the system counts it, no collection forced: the server as it is started, SQLite on disk.',
      `On its way: what has left the upstream's system less what the client has read. Most of it stands in socket buffers, which the system alone sizes (here up to ${systemMax('tcp_wmem')} for sending and ${systemMax('tcp_rmem')} for receiving a connection, net.ipv4.tcp_wmem and tcp_rmem); the gateway holds the rest.`,
      ...(idle.count < streamsWanted && !quick
        ? [`This system allows ${files} open files, which is two for each of ${idle.count} streams.`]
        : []),
      ...(quick ? ['--quick holds the downloads for 5 s instead of 30, and opens 2,000 event streams.'] : []),
    ],
  }
}

function idleBar({ count }: Idle, aStream: number): Bar {
  const promise = `${count} idle event streams: at most ${streamBytesMax / kilobyte} KB each, both sockets included`
  return bar(promise, `${(aStream / kilobyte).toFixed(1)} KB`, aStream <= streamBytesMax)
}

function memoryTable(stalled: Stalled, idle: Idle): Table {
  return {
    title: 'RSS of the gateway',
    rows: [
      ['', 'before', 'with them', 'farthest from that'],
      [`${readers} stalled downloads`, mib(stalled.before), mib(stalled.first), mib(stalled.last)],
      [`${idle.count} idle event streams`, mib(idle.before), mib(idle.opened), ''],
    ],
  }
}

function wayTable(stalled: Stalled): Table {
  const row = (name: string, part: keyof OnItsWay): readonly string[] => [
    name,
    mib(median(stalled.onTheirWay.map((way) => way[part]))),
    mib(most(stalled, part)),
  ]
  return {
    title: 'On its way from the upstream to a reader that has stalled',
    rows: [['', 'median', 'most'], row('with the buffers of the system', 'all'), row('in the gateway itself', 'own')],
  }
}

function most({ onTheirWay: ways }: Stalled, part: keyof OnItsWay): number {
  return Math.max(...ways.map((way) => way[part]))
}

function systemMax(name: 'tcp_wmem' | 'tcp_rmem'): string {
  return mib(Number(readFileSync(`/proc/sys/net/ipv4/${name}`, 'utf8').split(/\s+/)[2]))
}

function mib(bytes: number): string {
  return `${(bytes / mebibyte).toFixed(1)} MiB`
}

import { connect, type Socket } from 'node:net'

import { readAnswers } from './answers.ts'

/**
 * Run as a process of its own: `connections` bare sockets that send the same request one time after the other. Each
 * message asks for a number of answered requests, and is told how many of them were 200.
 */
const [port, connections, request] = [Number(process.argv[2]), Number(process.argv[3]), process.argv[4] ?? '']

let left = 0
let running = 0
let good = 0

const sockets: Socket[] = []

function open(): Socket {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true })
  readAnswers(socket, (status) => {
    if (status === 200) good++
    running--
    send(socket)
    if (running === 0) process.send?.(good)
  })
  socket.on('error', (error) => {
    throw error
  })
  socket.on('close', () => {
    if (running > 0) throw new Error('the server closed a connection')
  })
  return socket
}

function send(socket: Socket): void {
  if (left === 0) return
  left--
  running++
  socket.write(request)
}

process.on('message', (count) => {
  left = Number(count)
  good = 0
  // Not before there is something to say: who connects and is silent is turned away after a while.
  while (sockets.length < connections) sockets.push(open())
  for (const socket of sockets) send(socket)
})

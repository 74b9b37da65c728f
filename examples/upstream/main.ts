import { startUpstream } from './upstream.ts'

/** Runs the example API alone: `npx node examples/upstream/main.ts 3000`. */
const { port } = await startUpstream(Number(process.argv[2] ?? 3000))
console.log(`http://127.0.0.1:${port}`)

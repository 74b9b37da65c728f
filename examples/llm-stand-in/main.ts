import { startStandIn } from './stand-in.ts'

/** Runs the stand-in alone: `npx node examples/llm-stand-in/main.ts 3001`. */
const { port } = await startStandIn(Number(process.argv[2] ?? 3001))
console.log(`http://127.0.0.1:${port}/openai stands in for OpenAI; beside it /anthropic, /mistral, /gemini and /ollama`)

// A worker in Node: serves resize:1.0.0 to workflows. Start the suite, then
//   npm ci && AUTOWORKER_EMAIL=… AUTOWORKER_PASSWORD=… node index.js
'use strict'
const path = require('node:path')
const os = require('node:os')
const grpc = require('@grpc/grpc-js')
const loader = require('@grpc/proto-loader')

const root = path.join(__dirname, '..', '..')
const definition = loader.loadSync('protos/worker/v1/worker.proto', { includeDirs: [root], keepCase: true })
const { WorkerService } = grpc.loadPackageDefinition(definition).autoworker.worker.v1
const url = process.env.AUTOWORKER_URL || 'http://127.0.0.1:8080'

const functions = {
  'resize:1.0.0': async ({ width, height }) => {
    if (Math.min(width, height) < 2) throw Object.assign(new Error('Too small'), { status: 422 })
    return { width: Math.floor(width / 2), height: Math.floor(height / 2) }
  }
}

async function post (place, body, token) {
  const headers = { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) }
  const answer = await fetch(url + place, { method: 'POST', headers, body: body && JSON.stringify(body) })
  if (!answer.ok) throw new Error(`${place}: ${answer.status} ${await answer.text()}`)
  return answer.json()
}

// A token that is good for connecting workers, and for minutes only; logging in each time is the simplest way.
async function workerToken () {
  const { AUTOWORKER_EMAIL: email, AUTOWORKER_PASSWORD: password } = process.env
  const { access_token: token } = await post('/v1/auth/login', { email, password })
  return post('/v1/functions/tokens', undefined, token)
}

async function connect () {
  const { token, address, expires_in: life } = await workerToken()
  const metadata = new grpc.Metadata()
  metadata.set('authorization', `Bearer ${token}`)
  const client = new WorkerService(address, grpc.credentials.createInsecure())
  const stream = client.Connect(metadata)
  const say = (message) => { if (stream.writable) stream.write(message) }
  const declared = Object.keys(functions).map((key) => ({ name: key.split(':')[0], version: key.split(':')[1] }))
  say({ hello: { worker_id: `${os.hostname()}-${process.pid}`, functions: declared, concurrency: 4 } })

  const timers = [setInterval(async () => {
    try { say({ heartbeat: { token: (await workerToken()).token } }) } catch (e) { console.error(e.message) }
  }, life * 1000 / 3)]
  stream.on('data', async ({ welcome, task }) => {
    if (welcome) {
      console.log('connected')
      timers.push(setInterval(() => say({ heartbeat: {} }), welcome.heartbeat_timeout_ms / 3))
    } else if (task) {
      try {
        const output = await functions[`${task.function}:${task.version}`](JSON.parse(task.arguments.toString()))
        say({ completed: { task_id: task.id, output: Buffer.from(JSON.stringify(output)) } })
      } catch (error) {
        say({ failed: { task_id: task.id, error: { status: error.status || 500, title: error.message } } })
      }
    }
  })
  // SIGTERM: nothing new, finish what is under way, then the server ends the stream.
  process.once('SIGTERM', () => { stopping = true; say({ goodbye: {} }) })
  await new Promise((resolve) => {
    stream.on('error', (error) => { console.error(error.message); resolve() })
    stream.on('end', resolve)
  })
  timers.forEach(clearInterval)
  client.close()
}

let stopping = false
async function main () {
  while (!stopping) {
    await connect().catch((error) => console.error(error.message))
    if (!stopping) await new Promise((resolve) => setTimeout(resolve, Math.random() * 5000))
  }
}
main()

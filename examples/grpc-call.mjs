// One gRPC call, its answer as JSON:  node examples/grpc-call.mjs localhost:50051 GetTask '{"id":"hello"}'
import { fileURLToPath } from 'node:url'
import { credentials, loadPackageDefinition, status } from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'

const [address, method, request = '{}'] = process.argv.slice(2)
const proto = fileURLToPath(new URL('../proto/execgo/v1/execgo.proto', import.meta.url))
const { ExecGo } = loadPackageDefinition(loadSync(proto, { keepCase: true, longs: Number })).execgo.v1

const client = new ExecGo(address, credentials.createInsecure())
client[method](JSON.parse(request), (error, answer) => {
  if (error === null) console.log(JSON.stringify(answer))
  else {
    console.error(`${status[error.code]}: ${error.details}`)
    process.exitCode = 1
  }
  client.close()
})

/**
 * A client of the contract's table A7, written down from there and not from our .proto file: it is what a client that
 * was built years ago knows.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as grpc from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'

const TABLE_A7 = `
syntax = "proto3";
package execgo.v1;
service ExecGo {
  rpc SubmitTasks(TaskGraph) returns (SubmitTasksResponse);
  rpc GetTask(GetTaskRequest) returns (GetTaskResponse);
  rpc ListTasks(ListTasksRequest) returns (ListTasksResponse);
  rpc DeleteTask(DeleteTaskRequest) returns (DeleteTaskResponse);
  rpc Health(HealthRequest) returns (HealthResponse);
  rpc Metrics(MetricsRequest) returns (MetricsResponse);
  /* NEW CALLS */
}
message TaskGraph { repeated Task tasks = 1; /* NEW GRAPH FIELDS */ }
message Task {
  string id = 1; string type = 2; string params_json = 3; repeated string depends_on = 4; int32 retry = 5;
  int64 timeout_ms = 6; string status = 7; string result_json = 8; string error = 9;
  int64 created_at_unix_ms = 10; int64 updated_at_unix_ms = 11;
  /* NEW FIELDS */
}
message SubmitTasksResponse { int32 accepted = 1; repeated string task_ids = 2; /* NEW ANSWER FIELDS */ }
message GetTaskRequest { string id = 1; }
message GetTaskResponse { Task task = 1; }
message ListTasksRequest {}
message ListTasksResponse { repeated Task tasks = 1; }
message DeleteTaskRequest { string id = 1; }
message DeleteTaskResponse { bool deleted = 1; }
message HealthRequest {}
message HealthResponse { string status = 1; string version = 2; string uptime = 3; }
message MetricsRequest {}
message MetricsResponse {
  int64 tasks_total = 1; int64 tasks_running = 2; int64 tasks_succeeded = 3; int64 tasks_failed = 4;
  map<string, int64> by_type = 5;
}
`

const NEW_FIELDS = `
  string tool_name = 20; string input_json = 21; string run_status = 22; string runtime_json = 23;
  string handle_id = 24; string progress_json = 25; map<string, string> annotations = 26; string execution_category = 27;
  string graph_id = 28; optional int32 priority = 29; int64 run_at_unix_ms = 30; int64 delay_ms = 31;
  bool allow_failure = 32; string run_if = 33;
`

const NEW_CALLS = `
  rpc CancelTask(CancelTaskRequest) returns (CancelTaskResponse);
  rpc ExplainTask(ExplainTaskRequest) returns (ExplainTaskResponse);
  rpc GetGraph(GetGraphRequest) returns (GetGraphResponse);
  rpc CancelGraph(CancelGraphRequest) returns (CancelGraphResponse);
`

const NEW_GRAPH_FIELDS = 'string on_conflict = 20; string durability = 21; string idempotency_key = 22;'
const NEW_ANSWER_FIELDS = 'string graph_id = 20; bool replayed = 21;'

const NEW_MESSAGES = `
message CancelTaskRequest { string id = 1; optional int64 grace_ms = 2; }
message CancelTaskResponse { Task task = 1; }
message ExplainTaskRequest { string id = 1; }
message ExplainTaskResponse { string reason = 1; string message = 2; string why_json = 3; }
message Graph {
  string graph_id = 1; string status = 2; GraphCounts counts = 3;
  int64 created_at_unix_ms = 4; int64 finished_at_unix_ms = 5;
}
message GraphCounts { int64 pending = 1; int64 running = 2; int64 success = 3; int64 failed = 4; int64 skipped = 5; }
message GetGraphRequest { string graph_id = 1; }
message GetGraphResponse { Graph graph = 1; }
message CancelGraphRequest { string graph_id = 1; optional int64 grace_ms = 2; }
message CancelGraphResponse { Graph graph = 1; }
`

export type Message = any

export interface Reply {
  readonly message: Message
  readonly initial: grpc.Metadata
  readonly trailer: grpc.Metadata
}

export type Client = grpc.Client & { close(): void }

const load = (text: string, name: string): grpc.ServiceClientConstructor => {
  const dir = mkdtempSync(join(tmpdir(), 'execgo-proto-'))
  try {
    const file = join(dir, 'transcript.proto')
    writeFileSync(file, text)
    return serviceIn(file, name)
  } finally {
    rmSync(dir, { recursive: true })
  }
}

/** The constructor of a service in a .proto file. */
export const serviceIn = (file: string, name: string): grpc.ServiceClientConstructor => {
  const definition = loadSync(file, {
    keepCase: true,
    longs: Number,
    enums: String,
    defaults: true,
    oneofs: true,
  })
  return grpc.makeClientConstructor(definition[name] as grpc.ServiceDefinition, name)
}

/** Knows the fields up to 11 alone. */
export const OldClient = load(TABLE_A7, 'execgo.v1.ExecGo')

/** Knows the fields from 20 up as well. */
export const NewClient = load(
  TABLE_A7.replace('/* NEW FIELDS */', NEW_FIELDS)
    .replace('/* NEW CALLS */', NEW_CALLS)
    .replace('/* NEW GRAPH FIELDS */', NEW_GRAPH_FIELDS)
    .replace('/* NEW ANSWER FIELDS */', NEW_ANSWER_FIELDS) + NEW_MESSAGES,
  'execgo.v1.ExecGo',
)

export const connect = (Constructor: grpc.ServiceClientConstructor, address: string): Client =>
  new Constructor(address, grpc.credentials.createInsecure(), { 'grpc.max_receive_message_length': -1 })

/** An answer that does not come fails the test instead of holding it up. */
const CALL_DEADLINE_MS = 15_000

/** One unary call; rejects with grpc-js's ServiceError. */
export const call = (
  client: Client,
  method: string,
  request: object,
  metadata = new grpc.Metadata(),
): Promise<Reply> =>
  new Promise((resolve, reject) => {
    let initial = new grpc.Metadata()
    let answer: Message = null
    const methods = client as unknown as Record<string, (...args: unknown[]) => grpc.ClientUnaryCall>
    methods[method]!.call(
      client,
      request,
      metadata,
      { deadline: Date.now() + CALL_DEADLINE_MS },
      (error: grpc.ServiceError | null, message: Message) => {
        if (error === null) answer = message
        else reject(Object.assign(error, { initial }))
      },
    )
      .on('metadata', (received) => {
        initial = received
      })
      .on('status', ({ metadata: trailer }) => resolve({ message: answer, initial, trailer }))
  })

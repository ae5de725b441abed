import {
  AckPolicy,
  connect,
  DiscardPolicy,
  headers,
  nanos,
  NatsError,
  RetentionPolicy,
  StorageType,
  type ConsumerMessages,
  type JetStreamClient,
  type JetStreamManager,
  type NatsConnection,
} from 'nats'
import { CONSTANTS, HTTP } from 'cloudevents'
import { askStore } from '../functions/shared/store/wait-for-store.ts'
import { consumers } from './consumers.table.ts'
import { natsOptions } from './nats-url.ts'
import { subjectOf, type ShopEvent } from './event.ts'
import { toCloudEvent } from './cloud-event.ts'

const day = 24 * 60 * 60 * 1000

/** How long a delivery may take before JetStream gives it to someone else, in ms. */
export const ackWaitMs = 30_000

const streamName = 'zeroshop'
/** JetStream's error code. */
const streamNotFound = 10_059

/** Which messages a stream still holds for whom. Messages are numbered from 1 on, anew in each stream that is made. */
export interface Held {
  since: Date
  first: number
  last: number
  /** By the reaction: that one, and every one before, is acknowledged. */
  acknowledged: Record<string, number>
}

/** The broker, as the relay and the dispatcher use it. */
export interface Broker {
  /** Publishes an event and answers the stream's number of its message; throws where JetStream does not within 5 s. */
  publish(event: ShopEvent, messageId: string): Promise<number>
  /** What the stream holds; undefined where there is none. */
  held(): Promise<Held | undefined>
  /** The messages of a reaction's durable consumer; it ends with an error where the consumer is gone. */
  consume(name: string): Promise<ConsumerMessages>
  /** Makes the stream where it is missing or differs: also after JetStream has lost its disk. */
  ensureStream(): Promise<void>
  /** How many messages the stream holds. */
  count(): Promise<number>
  deleteStream(): Promise<void>
  close(): Promise<void>
}

/**
 * Connects to NATS, and again for as long as it takes once it has.
 * @param replicas of the stream
 * @param waitMs how long it may take until it answers
 * @throws UserError if nothing answers
 */
export async function connectBroker(
  url: string,
  { replicas = 1, name = 'zeroshop', waitMs = 0 } = {},
): Promise<Broker> {
  const options = {
    ...natsOptions(url),
    name,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 250,
    reconnectJitter: 100,
    timeout: 5_000,
    // a broker that vanished is missed after some 15 s, not after 6 min
    pingInterval: 5_000,
  }
  const connection: NatsConnection = await askStore(() => connect(options), {
    store: 'NATS',
    setting: 'NATS_URL',
    waitMs,
  })
  const js: JetStreamClient = connection.jetstream({ timeout: 5_000 })
  const manager: JetStreamManager = await connection.jetstreamManager({ checkAPI: false, timeout: 5_000 })

  async function ensureStream() {
    const config = {
      name: streamName,
      subjects: [subjectOf('>')],
      retention: RetentionPolicy.Limits,
      storage: StorageType.File,
      discard: DiscardPolicy.Old,
      max_age: nanos(3 * day),
      max_bytes: 1024 ** 3,
      duplicate_window: nanos(2 * 60_000),
      num_replicas: replicas,
    }
    // creating what exists with the same settings answers it; with others, it is updated
    await manager.streams.add(config).catch(() => manager.streams.update(streamName, config))
  }

  return {
    ensureStream,
    async publish(event, messageId) {
      const message = HTTP.structured(toCloudEvent(event))
      const meta = headers()
      meta.set(CONSTANTS.HEADER_CONTENT_TYPE, String(message.headers[CONSTANTS.HEADER_CONTENT_TYPE]))
      const { seq } = await js.publish(subjectOf(event.type), String(message.body), {
        msgID: messageId,
        headers: meta,
      })
      return seq
    },
    async held() {
      try {
        const { created, state } = await manager.streams.info(streamName)
        const acknowledged: Held['acknowledged'] = {}
        for await (const { name, ack_floor, num_pending, num_ack_pending } of manager.consumers.list(
          streamName,
        ))
          // after a crash of the broker, its floor may lie behind numbers that are given anew: but it waits for nothing
          acknowledged[name] = num_pending + num_ack_pending === 0 ? state.last_seq : ack_floor.stream_seq
        return { since: new Date(created), first: state.first_seq, last: state.last_seq, acknowledged }
      } catch (error) {
        if (isNoStream(error)) return undefined
        throw error
      }
    },
    async consume(name) {
      await ensureStream()
      const { on, atOnce } = consumers[name]!
      const config = {
        ack_wait: nanos(ackWaitMs),
        max_deliver: -1,
        max_ack_pending: atOnce,
        filter_subjects: on.map(subjectOf),
      }
      // one that an earlier version made may differ: it is changed, and keeps its place in the stream
      await manager.consumers
        .add(streamName, { durable_name: name, ack_policy: AckPolicy.Explicit, ...config })
        .catch(() => manager.consumers.update(streamName, name, config))
      const consumer = await js.consumers.get(streamName, name)
      return consumer.consume({
        max_messages: atOnce,
        expires: 5_000,
        abort_on_missing_resource: true,
      })
    },
    count: async () => (await manager.streams.info(streamName)).state.messages,
    async deleteStream() {
      await manager.streams.delete(streamName).catch((error: unknown) => {
        if (!isNoStream(error)) throw error
      })
    },
    async close() {
      await connection.close()
    },
  }
}

const isNoStream = (error: unknown) =>
  error instanceof NatsError && error.api_error?.err_code === streamNotFound

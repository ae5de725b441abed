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
import { askStore } from '../functions/shared/store/wait-for-store.ts'
import { consumers } from './consumers.table.ts'
import { natsOptions } from './nats-url.ts'
import { encodedType, type Encoded } from './encode.ts'
import { subjectOf } from './event.ts'

const day = 24 * 60 * 60 * 1000

/** How long a delivery may take before JetStream delivers the message again, in ms. */
export const ackWaitMs = 30_000

/** How long the stream keeps messages, and how many bytes of them. The oldest are dropped first. */
export const streamKeeps = { ms: 3 * day, bytes: 1024 ** 3 }

const streamName = 'zeroshop'
/** A stream for a moment, which shows whether JetStream can store anything. */
const probeName = 'zeroshop-probe'
/** More than fits into the space that is left in blocks on a full disk, in bytes. */
const probeSize = 64 * 1024
/** JetStream's error code. */
const streamNotFound = 10_059

/** Which messages a stream still holds for each reaction. Each new stream numbers its messages from 1. */
export interface Held {
  since: Date
  first: number
  last: number
  /** By reaction: the number up to which all messages are acknowledged. */
  acknowledged: Record<string, number>
}

/** The broker, as the relay and the dispatcher use it. */
export interface Broker {
  /**
   * Publishes an event and returns the number of its message in the stream.
   * @throws if JetStream does not confirm within 5 s
   */
  publish(event: Encoded, messageId: string): Promise<number>
  /** Returns what the stream holds, or undefined if there is no stream. */
  held(): Promise<Held | undefined>
  /** Returns how many messages each reaction has not acknowledged. */
  lags(): Promise<Record<string, number>>
  /**
   * Returns the messages of a reaction's durable consumer. The iteration throws if the consumer is deleted.
   */
  consume(name: string): Promise<ConsumerMessages>
  /**
   * Creates the stream if it is missing, for example after JetStream has lost its disk. Updates it if it
   * differs.
   */
  ensureStream(): Promise<void>
  /** Returns whether JetStream can create a stream and store a message in it. */
  canStore(): Promise<boolean>
  /** Returns the number of messages in the stream. */
  count(): Promise<number>
  deleteStream(): Promise<void>
  close(): Promise<void>
}

/**
 * Connects to NATS. If the connection is lost later, it reconnects, however long that takes.
 * @param replicas the number of the stream's replicas
 * @param waitMs how long to wait for NATS, in ms
 * @throws UserError if NATS does not answer
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
    // otherwise each publication records a stack trace
    noAsyncTraces: true,
    // detects a broker that has vanished after about 15 s instead of 6 min
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
      max_age: nanos(streamKeeps.ms),
      max_bytes: streamKeeps.bytes,
      duplicate_window: nanos(2 * 60_000),
      num_replicas: replicas,
    }
    // `add` succeeds if the stream exists with the same settings; with others it fails, so update it
    await manager.streams.add(config).catch(() => manager.streams.update(streamName, config))
  }

  return {
    ensureStream,
    async publish({ type, json }, messageId) {
      const meta = headers()
      meta.set('content-type', encodedType)
      const { seq } = await js.publish(subjectOf(type), json, { msgID: messageId, headers: meta })
      return seq
    },
    async held() {
      try {
        const { created, state } = await manager.streams.info(streamName)
        const acknowledged: Held['acknowledged'] = {}
        for await (const { name, ack_floor, num_pending, num_ack_pending } of manager.consumers.list(
          streamName,
        ))
          // after a broker crash, numbers are reused and the ack floor may be behind: if nothing is pending,
          // everything is acknowledged
          acknowledged[name] = num_pending + num_ack_pending === 0 ? state.last_seq : ack_floor.stream_seq
        return { since: new Date(created), first: state.first_seq, last: state.last_seq, acknowledged }
      } catch (error) {
        if (isNoStream(error)) return undefined
        throw error
      }
    },
    async lags() {
      const lags: Record<string, number> = {}
      for await (const { name, num_pending, num_ack_pending } of manager.consumers.list(streamName))
        lags[name] = num_pending + num_ack_pending
      return lags
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
      // a consumer from an earlier version may differ; an update keeps its position in the stream
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
    async canStore() {
      try {
        await manager.streams.add({
          name: probeName,
          subjects: [probeName],
          storage: StorageType.File,
          max_bytes: 16 * probeSize,
          num_replicas: replicas,
        })
        await js.publish(probeName, new Uint8Array(probeSize))
        return true
      } catch {
        return false
      } finally {
        await manager.streams.delete(probeName).catch(() => {})
      }
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

/** Whether NATS or the connection to it caused the error. */
export const isBrokerError = (error: unknown): error is NatsError => error instanceof NatsError

/** Whether an event is too large for NATS, which says nothing about the stream. */
export const isTooLarge = (error: NatsError): boolean => error.code === 'MAX_PAYLOAD_EXCEEDED'

/** Whether JetStream itself has refused something, so that it can be reached. */
export const isRefusal = (error: unknown): boolean => isBrokerError(error) && error.api_error !== undefined

/** Returns what JetStream said, or the client's code for why it said nothing, such as TIMEOUT. */
export const brokerReason = ({ api_error, code }: NatsError): string => api_error?.description ?? code

const isNoStream = (error: unknown) =>
  error instanceof NatsError && error.api_error?.err_code === streamNotFound

// The image API, version 2: https://docs.openstack.org/api-ref/image/v2/

import type { JsonValue } from '../../tasks/plan/step.ts'
import { type HttpRequest, type HttpAnswer, shown, type StreamedBody } from '../remotes/http-request.ts'
import { RemoteError } from '../remotes/remote.ts'
import type { OpenstackSession } from './openstack-session.ts'

export interface GlanceImage {
  readonly id: string
  readonly name: string | null
  readonly status: string
  readonly os_hidden: boolean
  readonly created_at: string
  readonly checksum: string | null
  readonly os_hash_algo: string | null
  readonly os_hash_value: string | null
  /** Properties of ours; numbers are text there. */
  readonly img_key?: string
  readonly img_name?: string
  readonly img_revision?: string
  readonly img_publisher?: string
}

/** All throw RemoteError. */
export interface Glance {
  /** Of our project, hidden ones, too, that have the name or are published under it. */
  list(name: string): Promise<readonly GlanceImage[]>
  create(image: { readonly [name: string]: JsonValue }): Promise<GlanceImage>
  read(id: string): Promise<GlanceImage>
  upload(id: string, data: StreamedBody): Promise<void>
  change(id: string, values: Readonly<Record<string, string | boolean>>): Promise<void>
  /** False when it is protected or in use. */
  remove(id: string, signal?: AbortSignal): Promise<boolean>
}

export function openGlance({ images, project, ask }: OpenstackSession, signal: AbortSignal): Glance {
  const send = async (
    request: Pick<HttpRequest, 'method'> & Partial<HttpRequest>,
    path: string,
    good: readonly number[],
  ): Promise<HttpAnswer> => {
    const answer = await ask({ signal, limit: answerMax, url: new URL(path, images), ...request })
    if (good.includes(answer.status)) return answer
    throw new RemoteError('answer', `${shown(answer.url)} answers HTTP ${answer.status}`)
  }
  const pages = async (filter: Readonly<Record<string, string>>): Promise<readonly GlanceImage[]> => {
    const found: GlanceImage[] = []
    const own = project === undefined ? {} : { owner: project }
    let path: string | undefined =
      `images?${new URLSearchParams({ ...filter, ...own, limit: '100' }).toString()}`
    for (let page = 0; path !== undefined && page < pagesMax; page++) {
      const answer: HttpAnswer = await send({ method: 'GET' }, path, [200])
      const { images: some, next } = parse(answer) as {
        readonly images: GlanceImage[]
        readonly next?: string
      }
      found.push(...some)
      // Its path does not know what stands before Glance.
      path = next?.replace(/^[^?]*/, 'images')
    }
    return found
  }
  return {
    async list(name) {
      const all = new Map<string, GlanceImage>()
      for (const hidden of ['false', 'true']) {
        for (const by of ['name', 'img_name']) {
          for (const image of await pages({ [by]: name, os_hidden: hidden })) all.set(image.id, image)
        }
      }
      return [...all.values()]
    },
    create: async (image) =>
      parse(
        await send({ method: 'POST', body: json(image), headers: jsonType }, 'images', [201]),
      ) as GlanceImage,
    read: async (id) => parse(await send({ method: 'GET' }, `images/${id}`, [200])) as GlanceImage,
    async upload(id, data) {
      const headers = { 'content-type': 'application/octet-stream' }
      await send({ method: 'PUT', body: data, headers }, `images/${id}/file`, [204])
    },
    async change(id, values) {
      const changes = Object.entries(values).map(([name, value]) => ({ op: 'add', path: `/${name}`, value }))
      const headers = { 'content-type': 'application/openstack-images-v2.1-json-patch' }
      await send({ method: 'PATCH', body: json(changes), headers }, `images/${id}`, [200])
    },
    async remove(id, own = signal) {
      const request = { method: 'DELETE', signal: own, expects: [403] } as const
      const { status } = await send(request, `images/${id}`, [204, 404, 403, 409])
      return status === 204 || status === 404
    },
  }
}

const json = (value: JsonValue): Buffer => Buffer.from(JSON.stringify(value))

const jsonType = { 'content-type': 'application/json' }

function parse({ body, url }: HttpAnswer): unknown {
  try {
    return JSON.parse(body.toString())
  } catch (cause) {
    throw new RemoteError('answer', `${shown(url)} sends no JSON`, { cause })
  }
}

const answerMax = 16 * 1024 * 1024
const pagesMax = 1000

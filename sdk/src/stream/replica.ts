import type { StreamChannel } from '@tributary/contract'
import { STREAM_CHANNELS } from '@tributary/contract/light'
import { Channel, type ChannelImage, type ChannelOutcome } from './channel.js'
import type { Frame } from './frames.js'

/** Where a new connection resumes: query parameters of the stream. */
export interface ResumePoint {
  readonly after?: string
  readonly viewHash?: string
  readonly routesHash?: string
}

/** Frames that carry a channel's content. */
export type ChannelFrame = Extract<Frame, { event: `${StreamChannel}.${string}` }>

/** Both channels as the disk snapshot keeps them. */
export type ReplicaImage = Readonly<Partial<Record<StreamChannel, ChannelImage>>>

/** What this process holds of the config center: the view of its tenant and the route table of its tree. */
export class Replica {
  readonly channels: Readonly<Record<StreamChannel, Channel>> = { view: new Channel(), routes: new Channel() }

  /** True once a view was received or restored. */
  get holdsView(): boolean {
    return this.channels.view.held
  }

  /** The newest revision of which anything is held. */
  get newestRevision(): bigint | undefined {
    const { view, routes } = this.channels
    if (view.revision === undefined || routes.revision === undefined) return view.revision ?? routes.revision
    return view.revision > routes.revision ? view.revision : routes.revision
  }

  /**
   * `after` is named only when both channels can build upon it: it is one number for both, and a channel that is out of step
   * must get a snapshot. A hash is named for each channel that is in step.
   */
  resumePoint(): ResumePoint {
    const { view, routes } = this.channels
    const both = view.hash !== undefined && routes.hash !== undefined
    const after = both ? smaller(view.revision, routes.revision) : undefined
    return {
      ...(after === undefined ? {} : { after: String(after) }),
      ...(view.hash === undefined ? {} : { viewHash: view.hash }),
      ...(routes.hash === undefined ? {} : { routesHash: routes.hash }),
    }
  }

  /** Applies a channel's frame. */
  apply(frame: ChannelFrame): ChannelOutcome {
    const channel = this.channels[channelOf(frame)]
    switch (frame.event) {
      case 'view.snapshot':
      case 'routes.snapshot':
        return channel.applySnapshot(frame.data)
      case 'view.delta':
      case 'routes.delta':
        return channel.applyDelta(frame.data)
      case 'view.resumed':
      case 'routes.resumed':
        return channel.applyResumed(frame.data)
    }
  }

  /** See {@link Channel.forgetRevision}. */
  forgetRevisions(): void {
    for (const name of STREAM_CHANNELS) this.channels[name].forgetRevision()
  }

  /** What the disk snapshot keeps; undefined while there is no view that could be resumed. */
  image(): ReplicaImage | undefined {
    const view = this.channels.view.image()
    const routes = this.channels.routes.image()
    if (view === undefined) return undefined
    return routes === undefined ? { view } : { view, routes }
  }

  /** Takes an image; returns whether its view was right. Routes that are not are left out. */
  restore(image: ReplicaImage): boolean {
    if (image.view === undefined || !this.channels.view.restore(image.view)) return false
    if (image.routes !== undefined) this.channels.routes.restore(image.routes)
    return true
  }
}

/** The channel of a frame. */
export function channelOf(frame: ChannelFrame): StreamChannel {
  return frame.event.startsWith('view.') ? 'view' : 'routes'
}

function smaller(first: bigint | undefined, second: bigint | undefined): bigint | undefined {
  if (first === undefined || second === undefined) return undefined
  return first < second ? first : second
}

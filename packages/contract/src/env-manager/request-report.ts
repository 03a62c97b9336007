import { Type, type Static } from 'typebox'
import { TenantName } from '../names.js'

/** Most environments of each list of a {@link RequestReport}; the rest comes with the next. */
export const MAX_REPORTED = 400

const environments = (description: string) => Type.Array(TenantName, { maxItems: MAX_REPORTED, description })

/** What a gateway saw since it last reported. Each environment stands in a list once, however many requests there were. */
export const RequestReport = Type.Object(
  {
    gateway: Type.String({ minLength: 1, maxLength: 128, description: 'a name that no other gateway process has' }),
    used: environments('a request went to a service of these'),
    wanted: environments('somebody asked for these, and they are asleep'),
    asleep: environments('to these it passes nothing on, because it was told that they are asleep'),
  },
  { $id: 'RequestReport', additionalProperties: false },
)
export type RequestReport = Static<typeof RequestReport>

/** Answer of a report: the environments whose requests must not be passed on, because they would be answered by another one's services. */
export const SleepingEnvironments = Type.Object(
  { asleep: Type.Array(TenantName) },
  { $id: 'SleepingEnvironments', additionalProperties: false },
)
export type SleepingEnvironments = Static<typeof SleepingEnvironments>

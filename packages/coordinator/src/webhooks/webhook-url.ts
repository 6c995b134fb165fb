import { codeOf } from '@conclave/core'
import { ApiError } from '../problem.ts'
import type { Reachable } from './reachable.ts'

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/

export interface UrlRules {
  readonly allowHttp: boolean
  readonly reachable: Reachable
}

/** The URL as it is kept. @throws {ApiError} BAD_WEBHOOK_URL. */
export function checkedUrl(text: string, { allowHttp, reachable }: UrlRules): string {
  const bad = (detail: string) => new ApiError('BAD_WEBHOOK_URL', `url: ${detail}`)
  if (!URL.canParse(text)) throw bad('not a URL')
  const url = new URL(text)
  const { protocol, hostname, username, password, hash } = url
  if (protocol !== 'https:' && protocol !== 'http:') throw bad('it must begin with https://')
  if (protocol === 'http:' && !allowHttp && !LOOPBACK.test(hostname)) throw bad('http only to this host: it must begin with https://')
  if (username !== '' || password !== '') throw bad('it must name no user and no password')
  if (hash !== '') throw bad('it must have no fragment')
  try {
    reachable.check(hostname)
  } catch (error) {
    if (codeOf(error) !== 'WEBHOOK_ADDRESS') throw error
    throw bad('its address is not of the internet, and webhooks.networks in the settings does not allow it')
  }
  return url.href
}

import { readFile } from 'node:fs/promises'
import SwaggerParser from '@apidevtools/swagger-parser'
import { expect } from 'chai'
import { hoistNamed } from './openapi-components.ts'
import type { OpenApi } from './testing/contract.ts'
import { Harness } from './testing/harness.ts'

const FILE = new URL('../../../docs/api/openapi.json', import.meta.url)

describe('OpenAPI document', () => {
  let h: Harness
  let document: OpenApi
  before(async () => {
    h = await Harness.start()
    document = (await h.contract()).document
  })
  after(() => h[Symbol.asyncDispose]())

  const operations = () => Object.values(document.paths).flatMap((methods) => Object.values(methods))

  it('is valid 3.1, and needs no key', async () => {
    expect(document.openapi).match(/^3\.1\./)
    expect((await h.get('/v1/openapi.json', { as: null })).body).deep.equal(document)
    await SwaggerParser.validate(structuredClone(document) as never)
  })

  it('a document that is not valid is seen', async () => {
    const broken = { ...document, paths: { ...document.paths, '/v1/x': { get: { responses: 7 } } } }
    const outcome = await SwaggerParser.validate(structuredClone(broken) as never).catch((error: unknown) => error)
    expect(outcome).instanceOf(Error)
  })

  it('the file in docs/ is what is served (npm run -s openapi writes it)', async () => {
    expect(JSON.parse(await readFile(FILE, 'utf8'))).deep.equal(document)
  })

  it('every operation has an id of its own, a tag, a summary and the codes of its problems', () => {
    const ids = operations().map((o) => o.operationId)
    expect(new Set(ids).size).equal(ids.length)
    for (const operation of operations()) {
      expect(operation.operationId).match(/^[a-z][A-Za-z]+$/)
      expect(operation).to.include.keys('tags', 'summary', 'description')
      expect(operation.responses['500']?.content['application/problem+json']).not.equal(undefined)
      for (const response of Object.values(operation.responses)) expect(response).not.include({ description: 'Default Response' })
    }
  })

  it('a body that may be left out is not required', () => {
    const refresh = document.paths['/v1/keys/{keyId}:refresh']?.post as unknown as { requestBody: { required: boolean } }
    expect(refresh.requestBody.required).equal(false)
  })

  it('shared schemas have one name; two schemas of one name are a mistake', () => {
    expect(document.components.schemas).include.keys('Key', 'SigningRequest', 'Problem')
    const two = { a: { title: 'A', type: 'string' }, b: { title: 'A', type: 'integer' } }
    expect(() => hoistNamed(two)).throw('two schemas are called A')
  })

  it('the page is served from here alone: no inline script, every file is there, a strict policy', async () => {
    const url = `${h.coordinator?.url}/docs/`
    const page = await fetch(url)
    const html = await page.text()
    expect(page.headers.get('content-security-policy')).include("default-src 'none'").not.include('unsafe')
    const files = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map((m) => m[1] as string)
    expect(files.length).above(4)
    expect(html).not.match(/<style|style="|<script(?![^>]*src=)|\son[a-z]+="/)
    for (const file of files) {
      expect(file).match(/^\.\/static\//)
      expect((await fetch(new URL(file, url))).status, file).equal(200)
    }
    expect(await (await fetch(new URL('./static/swagger-initializer.js', url))).text()).include('/v1/openapi.json')
    expect((await fetch(new URL('./static/../../v1/keys', url))).status).equal(401)
    expect((await fetch(`${url}static/%2e%2e/%2e%2e/package.json`)).status).within(400, 404)
  })

  it('an answer that it does not describe is a fault', async () => {
    const contract = await h.contract()
    const { body } = await h.get<object>('/v1/keys/main')
    const exchange = { method: 'GET', path: '/v1/keys/main?x=1', status: 200, contentType: 'application/json; charset=utf-8', body }
    expect(contract.faults(exchange)).deep.equal([])
    expect(contract.faults({ ...exchange, body: { ...body, extra: 1 } })).not.deep.equal([])
    expect(contract.faults({ ...exchange, body: { ...body, epoch: 'x' } })).not.deep.equal([])
    expect(contract.faults({ ...exchange, status: 201 })).not.deep.equal([])
    expect(contract.faults({ ...exchange, contentType: 'text/html' })).not.deep.equal([])
    expect(contract.faults({ ...exchange, path: '/v1/unknown' })).not.deep.equal([])
    const problem = (await h.get<object>('/v1/keys/other')).body
    const refused = { ...exchange, path: '/v1/keys/other', status: 404, contentType: 'application/problem+json', body: problem }
    expect(contract.faults(refused)).deep.equal([])
    expect(contract.faults({ ...refused, body: { ...problem, code: 'NODE_NOT_FOUND' } })).not.deep.equal([])
  })
})

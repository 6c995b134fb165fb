import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import { apiTypes, TYPES } from './api-types.fixture.ts'

describe('types of the API', () => {
  it('are those of the document in docs/api (npm run -s openapi writes them)', async () => {
    expect(await readFile(TYPES, 'utf8')).equal(await apiTypes())
  })
})

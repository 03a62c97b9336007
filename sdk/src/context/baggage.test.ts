import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { BaggageMember, MAX_BAGGAGE_BYTES, formatBaggage, parseBaggage } from './baggage.js'

const read = (header: string) =>
  parseBaggage(header).members.map(({ key, value, properties }) => ({ key, value, properties }))
const some = (...properties: object[]) => ({ key: 'SomeKey', value: 'SomeValue', properties })
const other = (...properties: object[]) => ({ key: 'SomeKey2', value: 'SomeValue2', properties })

// The cases of https://github.com/w3c/baggage/blob/main/test/test_baggage.py, by their names there.
describe('the published test cases of W3C baggage', () => {
  const marks = '\t "\';=asdf!@#$%^&*()'
  const encodedMarks = '%09%20%22%27%3B%3Dasdf%21%40%23%24%25%5E%26%2A%28%29'

  test.each([
    ['parse_simple', 'SomeKey=SomeValue', [some()]],
    [
      'parse_multiple',
      'SomeKey=SomeValue;SomeProp,SomeKey2=SomeValue2;ValueProp=PropVal',
      [some({ key: 'SomeProp' }), other({ key: 'ValueProp', value: 'PropVal' })],
    ],
    [
      'parse_multiple_ows',
      'SomeKey \t = \t SomeValue \t ; \t SomeProp \t , \t SomeKey2 \t = \t SomeValue2 \t ; \t ValueProp \t = \t PropVal',
      [some({ key: 'SomeProp' }), other({ key: 'ValueProp', value: 'PropVal' })],
    ],
    [
      'parse_multiple_kv_property',
      'SomeKey=SomeValue;SomePropKey=SomePropValue,SomeKey2=SomeValue2;SomePropKey2=SomePropValue2',
      [some({ key: 'SomePropKey', value: 'SomePropValue' }), other({ key: 'SomePropKey2', value: 'SomePropValue2' })],
    ],
    [
      'parse_multiple_kv_property_ows',
      'SomeKey \t = \t SomeValue \t ; \t SomePropKey=SomePropValue \t , \t SomeKey2 \t = \t SomeValue2 \t ; \t SomePropKey2 \t = \t SomePropValue2',
      [some({ key: 'SomePropKey', value: 'SomePropValue' }), other({ key: 'SomePropKey2', value: 'SomePropValue2' })],
    ],
    ['parse_multiple_equals', 'SomeKey=SomeValue=equals', [{ ...some(), value: 'SomeValue=equals' }]],
    ['parse_percent_encoded', `SomeKey=${encodedMarks}`, [{ ...some(), value: marks }]],
    ['parse_percent_encoded_ows', `SomeKey \t = \t ${encodedMarks} \t `, [{ ...some(), value: marks }]],
    ['parse_property', 'SomeKey=SomeValue;SomeProp', [some({ key: 'SomeProp' })]],
    [
      'parse_multi_property',
      'SomeKey=SomeValue;SomeProp;SecondProp=PropValue',
      [some({ key: 'SomeProp' }, { key: 'SecondProp', value: 'PropValue' })],
    ],
    ['parse_simple_ows', 'SomeKey \t = \t SomeValue \t ', [some()]],
    [
      'parse_multi_property_ows',
      'SomeKey \t = \t SomeValue \t ; \t SomeProp \t ; \t SecondProp \t = \t PropValue',
      [some({ key: 'SomeProp' }, { key: 'SecondProp', value: 'PropValue' })],
    ],
  ])('%s', (_name, header, expected) => {
    expect(read(header)).toEqual(expected)
    expect(parseBaggage(header).malformed).toBe(0)
  })

  test('serialise percent-encoded', () => {
    expect(BaggageMember.of('SomeKey', marks)?.text).toBe(`SomeKey=${encodedMarks}`)
  })

  test('serialize_at_least_64', () => {
    const header = Array.from({ length: 64 }, (_, index) => `key${index}=value`).join(',')
    expect(formatBaggage(parseBaggage(header).members)).toBe(header)
  })

  test('serialize_long_entry', () => {
    const header = `a=${'0123456789'.repeat(819)}`
    expect(header.length).toBe(8_192)
    expect(formatBaggage(parseBaggage(header).members)).toBe(header)
  })

  test('serialize_many_entries', () => {
    const header = Array.from({ length: 512 }, (_, index) => `${String(index).padStart(3, '0')}=0123456789a`).join(',')
    expect(`${formatBaggage(parseBaggage(header).members)}b`.length).toBe(8_192)
  })
})

/** Lone surrogates too. fast-check's own binary strings need a table of all of Unicode, which takes a second to build. */
const ANY_TEXT = fc
  .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 300 })
  .map((codes) => String.fromCharCode(...codes))

describe('parseBaggage', () => {
  test.each([
    ['', []],
    [' \t ,, ', []],
    ['a=', ['a=']],
    ['a=1,a=2,a=1', ['a=1', 'a=2', 'a=1']],
    ['userId =   alice', ['userId =   alice']],
    ['a=1;x=%zz;; ;y', ['a=1;x=%zz;; ;y']],
    ["!#$%&'*+-.^_`|~09azAZ=1", ["!#$%&'*+-.^_`|~09azAZ=1"]],
  ])('keeps the members of %j byte for byte', (header, texts) => {
    const { members, malformed } = parseBaggage(header)
    expect(members.map(({ text }) => text)).toEqual(texts)
    expect(malformed).toBe(0)
  })

  test.each([
    'a',
    '=1',
    'a b=1',
    'a="1"',
    'a=1 2',
    'a=\\',
    'ä=1',
    'a=ä',
    'a=1;ü',
    'a=1\r\nx: y',
    'a@=1',
    'a=1;x\ny',
    'a(=1',
    '\u00a0a=1',
  ])('skips the malformed member %j and nothing else', (bad) => {
    const { members, malformed } = parseBaggage(`first=1,${bad},last=2`)
    expect(members.map(({ text }) => text)).toEqual(['first=1', 'last=2'])
    expect(malformed).toBe(1)
  })

  test('decodes what is no UTF-8 without throwing', () => {
    expect(read('a=%ff%C3%A4%,b=100%')).toEqual([
      { key: 'a', value: '\ufffd\u00e4%', properties: [] },
      { key: 'b', value: '100%', properties: [] },
    ])
  })

  test('gives any value back that it has encoded', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (value) => {
        const [member] = parseBaggage(BaggageMember.of('key', value)?.text ?? '').members
        expect(member?.value).toBe(value)
      }),
    )
    expect(BaggageMember.of('key', '\ud800')?.value).toBe('\ufffd')
    expect(BaggageMember.of('no key', 'x')).toBeUndefined()
    expect(BaggageMember.of('key', 'x', 'a\nb')).toBeUndefined()
  })

  test('takes any text without throwing, and gives nothing on that could end a header', () => {
    fc.assert(
      fc.property(ANY_TEXT, (text) => {
        const header = formatBaggage(parseBaggage(text).members)
        expect(header).toMatch(/^[\t\x20-\x7e]*$/)
        expect(formatBaggage(parseBaggage(header).members)).toBe(header)
      }),
    )
  })
})

describe('formatBaggage', () => {
  it('leaves out what does not fit, and keeps what comes after it', () => {
    const members = ['a=1', `b=${'x'.repeat(MAX_BAGGAGE_BYTES)}`, 'c=3'].map((text) => parseBaggage(text).members[0])
    expect(formatBaggage(members.filter((member) => member !== undefined))).toBe('a=1,c=3')
  })
})

import binaryen from 'assemblyscript/binaryen'

/** Something in compiled code whose duration or trace could depend on a secret. */
export interface Leak {
  /** The function that holds it: its number, or its name when the module has names. */
  readonly where: string
  readonly what: 'branch' | 'select' | 'address' | 'division' | 'length' | 'indirect call' | 'unknown instruction'
}

type Expression = binaryen.ExpressionRef
/** Locals that may be secret here; undefined where control cannot come. */
type State = Set<number> | undefined

interface Routine {
  /** Numbers of the arguments that some caller makes from a secret. */
  readonly params: Set<number>
  readonly body: Expression
  returnsSecret: boolean
}

/** Divisions take a time that depends on their operands; everything else here takes the same time for all values. */
const DIVISIONS: ReadonlySet<number> = new Set([
  ...[binaryen.DivSInt32, binaryen.DivUInt32, binaryen.RemSInt32, binaryen.RemUInt32],
  ...[binaryen.DivSInt64, binaryen.DivUInt64, binaryen.RemSInt64, binaryen.RemUInt64],
])

const join = (a: State, b: State): State => (a === undefined ? b : b === undefined ? a : new Set([...a, ...b]))
const sizeOf = (state: State): number => (state === undefined ? -1 : state.size)

/**
 * Follows secrets through compiled code. What is loaded from memory is secret, arguments and constants of the roots are not, and what is
 * computed from a secret is secret. No branch, `select`, address, length or division may use one, so the time and the memory trace of the
 * roots depend on their arguments alone. Looks at the roots and at everything that they call.
 */
export class SecretFlow {
  readonly #routines = new Map<string, Routine>()
  readonly #exports = new Map<string, string>()
  #leaks = new Map<string, Leak>()
  #changed = false
  #labels = new Map<string, State>()
  #reached = new Set<string>()
  #name = ''

  constructor(wasm: Uint8Array) {
    const module = binaryen.readBinary(wasm)
    for (let i = 0; i < module.getNumFunctions(); i++) {
      const { name, body } = binaryen.getFunctionInfo(module.getFunctionByIndex(i))
      this.#routines.set(name, { params: new Set(), body, returnsSecret: false })
    }
    for (let i = 0; i < module.getNumExports(); i++) {
      const { name, value, kind } = binaryen.getExportInfo(module.getExportByIndex(i))
      if (kind === binaryen.ExternalFunction) this.#exports.set(name, value)
    }
  }

  /** Names of the exported functions. */
  get exports(): readonly string[] {
    return [...this.#exports.keys()]
  }

  /** @param roots - names of exported functions. */
  leaksOf(roots: readonly string[]): readonly Leak[] {
    this.#leaks = new Map()
    for (const routine of this.#routines.values()) {
      routine.params.clear()
      routine.returnsSecret = false
    }
    this.#reached = new Set(roots.map((root) => this.#exports.get(root) as string))
    do {
      this.#changed = false
      for (const name of this.#reached) this.#visitRoutine(name)
    } while (this.#changed)
    return [...this.#leaks.values()]
  }

  #visitRoutine(name: string): void {
    const routine = this.#routines.get(name)
    if (routine === undefined) throw new Error(`no function ${name}`)
    this.#name = name
    this.#labels = new Map()
    const [state, secret] = this.#visit(routine.body, new Set(routine.params))
    if (state !== undefined && secret) this.#returnSecret()
  }

  #returnSecret(): void {
    const routine = this.#routines.get(this.#name) as Routine
    if (!routine.returnsSecret) this.#changed = true
    routine.returnsSecret = true
  }

  #leak(what: Leak['what']): void {
    this.#leaks.set(`${this.#name} ${what}`, { where: this.#name, what })
  }

  #forbid(secret: boolean, what: Leak['what']): void {
    if (secret) this.#leak(what)
  }

  /** @returns the state afterwards and whether the value is secret. */
  #visit(ref: Expression, before: State): [State, boolean] {
    if (ref === 0) return [before, false]
    const info = binaryen.getExpressionInfo(ref)
    switch (info.id) {
      case binaryen.BlockId:
      case binaryen.LoopId:
      case binaryen.IfId:
      case binaryen.BreakId:
      case binaryen.SwitchId:
      case binaryen.ReturnId:
      case binaryen.UnreachableId:
        return this.#visitControl(info, before)
      case binaryen.CallId:
        return this.#visitCall(info as binaryen.CallInfo, before)
      default:
        return this.#visitValue(info, before)
    }
  }

  #visitAll(refs: readonly Expression[], before: State): [State, readonly boolean[]] {
    let state = before
    const secrets: boolean[] = []
    for (const ref of refs) {
      const [after, secret] = this.#visit(ref, state)
      state = after
      secrets.push(secret)
    }
    return [state, secrets]
  }

  #visitControl(info: binaryen.ExpressionInfo, before: State): [State, boolean] {
    switch (info.id) {
      case binaryen.BlockId: {
        const { name, children } = info as binaryen.BlockInfo
        const [state, secrets] = this.#visitAll(children, before)
        const joined = join(state, this.#labels.get(name))
        if (name) this.#labels.delete(name)
        return [joined, secrets.at(-1) ?? false]
      }
      case binaryen.LoopId: {
        const { name, body } = info as binaryen.LoopInfo
        for (let entry = before; ; ) {
          const [state, secret] = this.#visit(body, entry === undefined ? undefined : new Set(entry))
          const again = join(entry, this.#labels.get(name))
          this.#labels.delete(name)
          if (sizeOf(again) === sizeOf(entry)) return [state, secret]
          entry = again
        }
      }
      case binaryen.IfId: {
        const { condition, ifTrue, ifFalse } = info as binaryen.IfInfo
        const [state, secret] = this.#visit(condition, before)
        this.#forbid(secret, 'branch')
        const [a, fromTrue] = this.#visit(ifTrue, state === undefined ? undefined : new Set(state))
        const [b, fromFalse] = this.#visit(ifFalse, state)
        return [join(a, b), fromTrue || fromFalse]
      }
      case binaryen.BreakId: {
        const { name, condition, value } = info as binaryen.BreakInfo
        const [state, [, secret]] = this.#visitAll([value, condition], before)
        this.#forbid(secret === true, 'branch')
        this.#labels.set(name, join(this.#labels.get(name), state === undefined ? undefined : new Set(state)))
        return [condition === 0 ? undefined : state, false]
      }
      case binaryen.ReturnId: {
        const [state, secret] = this.#visit((info as binaryen.ReturnInfo).value, before)
        if (state !== undefined && secret) this.#returnSecret()
        return [undefined, false]
      }
      case binaryen.SwitchId:
        // Refused whatever it looks at: none is needed.
        this.#leak('branch')
        return [undefined, false]
      default:
        return [undefined, false]
    }
  }

  #visitCall({ target, operands }: binaryen.CallInfo, before: State): [State, boolean] {
    const [state, secrets] = this.#visitAll(operands, before)
    const callee = this.#routines.get(target)
    if (callee === undefined) throw new Error(`a call of ${target}, which is not in the module`)
    if (!this.#reached.has(target)) this.#changed = true
    this.#reached.add(target)
    for (const [i, secret] of secrets.entries()) {
      if (!secret || callee.params.has(i)) continue
      callee.params.add(i)
      this.#changed = true
    }
    return [state, callee.returnsSecret]
  }

  #visitValue(info: binaryen.ExpressionInfo, before: State): [State, boolean] {
    const refs = operandsOf(info)
    if (refs === undefined) {
      this.#leak(info.id === binaryen.CallIndirectId ? 'indirect call' : 'unknown instruction')
      return [before, true]
    }
    const [state, secrets] = this.#visitAll(refs, before)
    const any = secrets.includes(true)
    switch (info.id) {
      case binaryen.LocalGetId:
        return [state, state?.has((info as binaryen.LocalGetInfo).index) ?? false]
      case binaryen.LocalSetId: {
        const { index } = info as binaryen.LocalSetInfo
        if (any) state?.add(index)
        else state?.delete(index)
        return [state, any]
      }
      case binaryen.LoadId:
      case binaryen.SIMDLoadId:
      case binaryen.StoreId:
      case binaryen.SIMDLoadStoreLaneId:
        this.#forbid(secrets[0] === true, 'address')
        return [state, true]
      case binaryen.MemoryFillId:
      case binaryen.MemoryCopyId:
        this.#forbid(secrets[0] === true || (info.id === binaryen.MemoryCopyId && secrets[1] === true), 'address')
        this.#forbid(secrets[2] === true, 'length')
        return [state, false]
      case binaryen.SelectId:
        this.#forbid(secrets[2] === true, 'select')
        return [state, any]
      case binaryen.BinaryId:
        this.#forbid(any && DIVISIONS.has((info as binaryen.BinaryInfo).op), 'division')
        return [state, any]
      default:
        return [state, any]
    }
  }
}

/** The operands of an instruction in the order of evaluation, or undefined for one that no kernel needs. */
function operandsOf(info: binaryen.ExpressionInfo): readonly Expression[] | undefined {
  const field = info as unknown as Readonly<Record<string, Expression>>
  const names = OPERANDS.get(info.id)
  return names?.map((name) => field[name] as Expression)
}

const OPERANDS: ReadonlyMap<number, readonly string[]> = new Map([
  [binaryen.NopId, []],
  [binaryen.ConstId, []],
  [binaryen.LocalGetId, []],
  [binaryen.MemorySizeId, []],
  [binaryen.LocalSetId, ['value']],
  [binaryen.DropId, ['value']],
  [binaryen.UnaryId, ['value']],
  [binaryen.BinaryId, ['left', 'right']],
  [binaryen.SelectId, ['ifTrue', 'ifFalse', 'condition']],
  [binaryen.LoadId, ['ptr']],
  [binaryen.StoreId, ['ptr', 'value']],
  [binaryen.MemoryFillId, ['dest', 'value', 'size']],
  [binaryen.MemoryCopyId, ['dest', 'source', 'size']],
  [binaryen.SIMDExtractId, ['vec']],
  [binaryen.SIMDReplaceId, ['vec', 'value']],
  [binaryen.SIMDShuffleId, ['left', 'right']],
  [binaryen.SIMDTernaryId, ['a', 'b', 'c']],
  [binaryen.SIMDShiftId, ['vec', 'shift']],
  [binaryen.SIMDLoadId, ['ptr']],
  [binaryen.SIMDLoadStoreLaneId, ['ptr', 'vec']],
])

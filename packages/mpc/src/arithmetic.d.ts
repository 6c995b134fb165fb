/**
 * secp256k1 and its scalar field: the one door to curve arithmetic, so that a faster kernel can stand behind it.
 *
 * Today: @noble/curves over BigInt, which is not constant time (SECURITY.md lists what that means).
 */
import { type Random } from '@conclave/core';
import { secp256k1 } from '@noble/curves/secp256k1.js';
export type Point = InstanceType<typeof secp256k1.Point>;
/** In [0, q). */
export type Scalar = bigint;
export declare const q: bigint;
export declare const G: Point;
export declare const O: Point;
export declare const addScalars: (a: Scalar, b: Scalar) => Scalar;
export declare const subScalars: (a: Scalar, b: Scalar) => Scalar;
export declare const mulScalars: (a: Scalar, b: Scalar) => Scalar;
/** @throws when `a` is 0. */
export declare const invertScalar: (a: Scalar) => Scalar;
export declare const sumScalars: (terms: Iterable<Scalar>) => Scalar;
/** Reduces any integer into [0, q). */
export declare const reduce: (a: bigint) => Scalar;
export declare function toBigint(bytes: Uint8Array): bigint;
/** 32 bytes, big-endian. */
export declare const scalarToBytes: (a: Scalar) => Uint8Array;
/** A canonical scalar in [0, q), or undefined: never reduced silently. */
export declare function scalarFromBytes(bytes: Uint8Array): Scalar | undefined;
/** Uniform in [1, q), from 48 random bytes (bias below 2^-127). */
export declare function randomScalar(random: Random): Scalar;
/** The specification's `Hs`: 48 bytes of `T` in counter mode, reduced mod q. */
export declare function hashToScalar(label: string, ...parts: readonly Uint8Array[]): Scalar;
/** `Hs` with a common prefix absorbed once. */
export declare function scalarHasher(label: string, ...prefix: readonly Uint8Array[]): (...parts: readonly Uint8Array[]) => Scalar;
/** a * G for a secret or public a, 0 included. */
export declare const mulBase: (a: Scalar) => Point;
/** a * P for a secret a, 0 included. */
export declare const mul: (p: Point, a: Scalar) => Point;
/** a * P for a public a. Variable time. */
export declare const mulPublic: (p: Point, a: Scalar) => Point;
/** The same point, with tables for many multiplications. */
export declare const withTables: (p: Point) => Point;
export declare const subPoints: (a: Point, b: Point) => Point;
export declare const sumPoints: (points: Iterable<Point>) => Point;
/** 33 bytes, compressed. @throws on O, which has no encoding. */
export declare const pointToBytes: (p: Point) => Uint8Array;
/** 33 bytes each, with one shared inversion. @throws on O. */
export declare const pointsToBytes: (points: readonly Point[]) => Uint8Array[];
/** A compressed point on the curve and not O, or undefined. */
export declare function pointFromBytes(bytes: Uint8Array): Point | undefined;

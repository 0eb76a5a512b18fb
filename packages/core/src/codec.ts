// How do values become frames, and frames values?

import { HoldfastError, show } from './errors.ts';
import { isThenable } from './request.ts';
import type { Data } from './bytes.ts';

/**
 * Turns what the application says into what goes on the wire, and back. `encode` that throws fails the `send`
 * (`ENCODE_FAILED`); `decode` that throws is told by `error` (`DECODE_FAILED`), and that message by nothing else.
 */
export interface Codec<In, Out> {
  encode(value: Out): Data;
  decode(data: Data): In;
}

/** The part of Standard Schema v1 (standardschema.dev) that is used: Zod, Valibot, ArkType and others have it. */
export interface StandardSchema<Output> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | PromiseLike<SchemaResult<Output>>;
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined;
  };
}

type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string; readonly path?: readonly unknown[] | undefined }[] };

export interface JsonOptions<In> {
  /** What every message must look like. Its validator has to answer at once: a promise would put messages out of order. */
  readonly schema: StandardSchema<In>;
}

/** JSON text frames. With a schema, each message is checked, and `message` listeners get what the schema gives. */
export function json<Out = unknown>(): Codec<unknown, Out>;
export function json<In, Out = unknown>(options: JsonOptions<In>): Codec<In, Out>;
export function json<In, Out>(options?: JsonOptions<In>): Codec<In, Out> {
  const schema = options?.schema;
  return {
    encode(value) {
      const text = JSON.stringify(value) as string | undefined;
      if (text === undefined)
        throw new HoldfastError('ENCODE_FAILED', `JSON has no form for ${show(value)}`, { value });
      return text;
    },
    decode(data) {
      if (typeof data !== 'string') throw new Error('a binary message is not JSON');
      const value: unknown = JSON.parse(data);
      return schema ? validate(schema, value) : (value as In);
    },
  };
}

function validate<In>(schema: StandardSchema<In>, value: unknown): In {
  const result = schema['~standard'].validate(value);
  if (isThenable(result)) throw new Error('the schema validates asynchronously, which would put messages out of order');
  if (result.issues) {
    throw new Error(
      result.issues.map(({ message, path }) => `${(path ?? []).map(segmentName).join('.')}: ${message}`).join('; '),
    );
  }
  return result.value;
}

/** A path segment is a key, or an object that holds one. */
function segmentName(segment: unknown): string {
  return String(typeof segment === 'object' && segment !== null ? (segment as { key?: unknown }).key : segment);
}

// A linear model as ONNX bytes, written by hand: protobuf needs no library for this much.
const varint = (n: number): number[] => (n < 0x80 ? [n] : [(n & 0x7f) | 0x80, ...varint(Math.floor(n / 128))]);
const int = (field: number, value: number): number[] => [...varint(field * 8), ...varint(value)];
const bytes = (field: number, value: readonly number[]): number[] => [
  ...varint(field * 8 + 2),
  ...varint(value.length),
  ...value,
];
const text = (field: number, value: string): number[] => bytes(field, [...Buffer.from(value)]);

const FLOAT = 1;
const tensor = (name: string, dims: readonly number[], values: readonly number[]): number[] => [
  ...dims.flatMap((d) => int(1, d)),
  ...int(2, FLOAT),
  ...text(8, name),
  ...bytes(9, [...Buffer.from(Float32Array.from(values).buffer)]),
];
const valueInfo = (name: string, width: number): number[] => {
  const shape = [...bytes(1, text(2, 'n')), ...bytes(1, int(1, width))];
  return [...text(1, name), ...bytes(2, bytes(1, [...int(1, FLOAT), ...bytes(2, shape)]))];
};
const node = (op: string, inputs: readonly string[], output: string): number[] => [
  ...inputs.flatMap((i) => text(1, i)),
  ...text(2, output),
  ...text(4, op),
];

/** ONNX model `y = x · weights + bias`, input `x` [n, weights.length], output `y` [n, 1]. */
export const linearOnnx = (weights: readonly number[], bias: number): Uint8Array => {
  const graph = [
    ...bytes(1, node('MatMul', ['x', 'w'], 'xw')),
    ...bytes(1, node('Add', ['xw', 'b'], 'y')),
    ...text(2, 'linear'),
    ...bytes(5, tensor('w', [weights.length, 1], weights)),
    ...bytes(5, tensor('b', [1], [bias])),
    ...bytes(11, valueInfo('x', weights.length)),
    ...bytes(12, valueInfo('y', 1)),
  ];
  return Uint8Array.from([...int(1, 8), ...bytes(7, graph), ...bytes(8, [...text(1, ''), ...int(2, 13)])]);
};

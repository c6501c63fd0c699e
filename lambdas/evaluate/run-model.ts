import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { RunModel } from './handler.ts';

/** Runs an ONNX model (input `x` [N, width], first output [N, 1]) on one thread. */
export const runOnnx: RunModel = async (model, x, width) => {
  const session = await InferenceSession.create(model, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  try {
    const output = session.outputNames[0] as string;
    const answer = await session.run({ x: new Tensor('float32', x, [x.length / width, width]) });
    return (answer[output] as Tensor).data as Float32Array;
  } finally {
    await session.release();
  }
};

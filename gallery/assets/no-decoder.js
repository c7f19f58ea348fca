// In place of the viewer's decoder of compressed meshes: a WebAssembly module, which the pages' policy refuses. No file of
// ours is compressed.
export const MeshoptDecoder = null;

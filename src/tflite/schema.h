/* schema.h - the parts of the .tflite file format that we read and write: field slots, union and
 * enum codes. A .tflite is a FlatBuffer with identifier "TFL3"; layout of the container:
 *
 *   u32 root offset | "TFL3" | tables, vtables, vectors in any order
 *   table   i32 distance back to its vtable, then fields
 *   vtable  u16 bytes of the vtable, u16 bytes of the table, u16 offset of each slot (0: absent)
 *   vector  u32 count, then elements; a string has one zero byte after its last character
 *   offset  u32 distance forward from where it stands
 *
 * Source: the public TensorFlow Lite schema, version 3.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_TFLITE_SCHEMA_H
#define MN_TFLITE_SCHEMA_H

#define MN_TFLITE_IDENTIFIER "TFL3"
#define MN_TFLITE_SCHEMA_VERSION 3
#define MN_TFLITE_METADATA "micronets" /* the name of our own metadata entry */

enum { /* Model */
       MN_MODEL_VERSION,
       MN_MODEL_OPERATOR_CODES,
       MN_MODEL_SUBGRAPHS,
       MN_MODEL_DESCRIPTION,
       MN_MODEL_BUFFERS,
       MN_MODEL_METADATA_BUFFER,
       MN_MODEL_METADATA,
       MN_MODEL_SLOTS
};
enum {                     /* OperatorCode */
       MN_CODE_DEPRECATED, /* int8: codes up to 127 */
       MN_CODE_CUSTOM,
       MN_CODE_VERSION,
       MN_CODE_BUILTIN, /* int32 */
       MN_CODE_SLOTS
};
enum { /* SubGraph */
       MN_SUBGRAPH_TENSORS,
       MN_SUBGRAPH_INPUTS,
       MN_SUBGRAPH_OUTPUTS,
       MN_SUBGRAPH_OPERATORS,
       MN_SUBGRAPH_SLOTS
};
enum { /* Tensor */
       MN_TENSOR_SHAPE,
       MN_TENSOR_TYPE,
       MN_TENSOR_BUFFER,
       MN_TENSOR_NAME,
       MN_TENSOR_QUANTIZATION,
       MN_TENSOR_IS_VARIABLE,
       MN_TENSOR_SPARSITY,
       MN_TENSOR_SLOTS
};
enum { /* QuantizationParameters */
       MN_QUANTIZATION_MIN,
       MN_QUANTIZATION_MAX,
       MN_QUANTIZATION_SCALE,
       MN_QUANTIZATION_ZERO_POINT, /* [int64] */
       MN_QUANTIZATION_DETAILS_TYPE,
       MN_QUANTIZATION_DETAILS,
       MN_QUANTIZATION_AXIS,
       MN_QUANTIZATION_SLOTS
};
enum { /* Operator */
       MN_OPERATOR_CODE,
       MN_OPERATOR_INPUTS,
       MN_OPERATOR_OUTPUTS,
       MN_OPERATOR_OPTIONS_TYPE,
       MN_OPERATOR_OPTIONS,
       MN_OPERATOR_SLOTS
};
enum { /* Buffer */
       MN_BUFFER_DATA,
       MN_BUFFER_OFFSET, /* uint64: data outside the FlatBuffer, from the start of the file */
       MN_BUFFER_SIZE,
       MN_BUFFER_SLOTS
};
enum { /* Metadata */
       MN_METADATA_NAME,
       MN_METADATA_BUFFER,
       MN_METADATA_SLOTS
};

/* Two options that the table of options.c does not hold: a vector, and one that only we write. */
enum { MN_RESHAPE_OPTIONS = 17, MN_ADD_POT_SCALE = 1 };

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "generate_worker.h"

int main(int argc, char **argv)
{
    return runtime_main(&generate_worker, argc, argv);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "maintain_worker.h"

int main(int argc, char **argv)
{
    return runtime_main(&maintain_worker, argc, argv);
}

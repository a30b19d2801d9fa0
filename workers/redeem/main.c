/* SPDX-License-Identifier: Apache-2.0 */
#include "redeem_worker.h"

int main(int argc, char **argv)
{
    return runtime_main(&redeem_worker, argc, argv);
}
